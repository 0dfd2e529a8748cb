"""`headshots bench check`: what the photo check says of photos that were spoilt in a known way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from core.checks.advice import Issue, Severity
from core.checks.verdict import Verdict
from core.consent import Purpose, ValidConsent
from core.image.kinds import PhotoFormat
from deploy.bench.variants import Meant, variants
from workers.pipeline.judgement import judge
from workers.vision.decode import Picture, decode
from workers.vision.faces import find_faces
from workers.vision.geometry import Pixels

Report = Callable[[dict[str, Any], str], None]

CONSENT = ValidConsent(None, frozenset({Purpose.PHOTO, Purpose.LIKENESS}))
# Said of the place and the file that it was taken from, not of what was done to it here.
_WORSE = (Severity.BLOCK, Severity.WARN)


def bench_check(report: Report, people: Mapping[str, Sequence[tuple[str, bytes]]]) -> None:
    """Spoil every photo that is accepted in each way, and report what is said and whether a photographer would agree."""
    said: dict[str, list[Verdict]] = {}
    agreed: dict[str, list[bool]] = {}
    meant: dict[str, Meant] = {}
    accepted = total = 0
    for _, content in chain.from_iterable(people.values()):
        seen = judge(content, CONSENT)
        if seen.face is None or seen.pixels is None or seen.verdict.asks:
            continue
        total += 1
        accepted += seen.verdict.accepted
        if not seen.verdict.accepted:
            continue
        pixels = decode(content).pixels
        before = judge(_picture(pixels), CONSENT).verdict
        face = find_faces(pixels)[0]
        for one in variants(pixels, face):
            verdict = judge(_picture(one.pixels), CONSENT).verdict
            said.setdefault(one.name, []).append(verdict)
            meant[one.name] = one.meant
            agreed.setdefault(one.name, []).append(agrees(one.meant, verdict, before))
    report({"photos": total, "accepted": accepted}, f"accepted as taken: {accepted} of {total}")
    for name, verdicts in said.items():
        _tell(report, name, verdicts, meant[name], sum(agreed[name]))


def agrees(meant: Meant, verdict: Verdict, before: Verdict) -> bool:
    """Say whether the check says what a photographer would, of a photo that it has said `before` of as taken."""
    if meant is Meant.REFUSED:
        return not verdict.accepted
    news = _spoken(verdict) - _spoken(before)
    if meant is Meant.SAID:
        return bool(news)
    turned = Issue.TURNED_UPRIGHT in {one.code for one in verdict.issues}
    return verdict.accepted and not news and turned == (meant is Meant.UPRIGHT)


def _spoken(verdict: Verdict) -> set[Issue]:
    return {one.code for one in verdict.issues if one.severity in _WORSE}


def _picture(pixels: Pixels) -> Picture:
    return Picture(np.ascontiguousarray(pixels), PhotoFormat.PNG, pixels.shape[1], pixels.shape[0])


def _tell(report: Report, name: str, verdicts: Sequence[Verdict], meant: Meant, agreed: int) -> None:
    refused = [one for one in verdicts if not one.accepted]
    usable = [
        one for one in verdicts if one.accepted and Severity.WARN in {issue.severity for issue in one.issues}
    ]
    reasons = Counter[Issue](
        issue.code for one in verdicts for issue in one.issues if issue.severity is not Severity.INFO
    )
    figures = {
        "spoilt": name,
        "photos": len(verdicts),
        "meant": meant.value,
        "agreed": agreed,
        "good": len(verdicts) - len(refused) - len(usable),
        "usable": len(usable),
        "refused": len(refused),
        "sharpness": [one.measures.sharpness for one in verdicts],
        "reasons": {code.value: count for code, count in reasons.most_common()},
    }
    words = ", ".join(f"{code.value} {count}" for code, count in reasons.most_common(5)) or "nothing"
    report(
        figures,
        f"{name:28} {meant.value:8} {agreed} of {len(verdicts)}: {figures['good']} good, {len(usable)} usable, "
        f"{len(refused)} refused: {words}",
    )

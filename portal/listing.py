"""What a page or program may know of somebody's photos: verdicts in words, faces to choose from, the best three."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from core.checks.advice import Issue, Severity
from core.checks.ranking import REASONS, best_three, near_duplicates
from core.checks.verdict import Verdict
from core.models import Headshot, Photo, State
from core.portraits import headshots, photos
from core.portraits.verdicts import Standing, standing_of
from core.web.photos import advice
from portal import words

_FEW = 3  # people whose places have names: on the left, in the middle, on the right


def listing(found: Sequence[Photo], state: State, failed: Mapping[UUID, Sequence[str]]) -> dict[str, Any]:
    """Return a participation's photos, oldest first, and what may be done with them.

    Args:
        found: the photos.
        state: of the participation.
        failed: why the studio showed nothing of a photo, by its id, in the request's language.
    """
    shown = [as_json(photo, failed.get(photo.id, ())) for photo in found]
    numbers = {photo["id"]: number for number, photo in enumerate(shown, 1)}
    verdicts = {
        str(photo.id): Verdict.model_validate(photo.verdict)
        for photo in found
        if standing_of(photo) is Standing.ACCEPTED
    }
    ranks = {ranked.key: (place, ranked) for place, ranked in enumerate(best_three(verdicts))}
    twins = near_duplicates(verdicts)
    for photo in shown:
        if photo["id"] in ranks:
            place, ranked = ranks[photo["id"]]
            photo["rank"] = (_("Best"), _("2nd"), _("3rd"))[place]
            photo["reasons"] = [_(REASONS[reason]) for reason in ranked.reasons]
        if photo["id"] in twins:
            best = twins[photo["id"]]
            photo["issues"].append({**same_shot(numbers[best]), "same_as": best})
    counts = {standing: sum(photo["state"] == standing for photo in shown) for standing in Standing}
    return {
        "photos": shown,
        "count": len(shown),
        "accepted": counts[Standing.ACCEPTED],
        "checking": counts[Standing.CHECKING],
        "asks": counts[Standing.ASKS],
        "unsure": counts[Standing.UNSURE],
        "asking": asking(counts[Standing.ASKS], counts[Standing.UNSURE]),
        "by_company": sum(photo["by_company"] for photo in shown),
        "most": photos.MAX_PHOTOS,
        "state": state.value,
        "can_submit": counts[Standing.ACCEPTED] > 0
        and not counts[Standing.CHECKING]
        and state is State.UPLOADING,
    }


def asking(which: int, whether: int) -> str:
    """Return what stands beside the button that sends the photos; empty where no photo asks.

    Args:
        which: photos that ask which person is meant.
        whether: photos that ask whether it is the person at all.
    """
    sentences = []
    if which:
        sentences.append(
            ngettext(
                "One photo still asks which person is you. It is used once you have answered.",
                "%(num)s photos still ask which person is you. They are used once you have answered.",
                which,
            )
        )
    if whether:
        sentences.append(
            ngettext(
                "One photo still asks whether it shows you. Until you answer, it is left out.",
                "%(num)s photos still ask whether they show you. Until you answer, they are left out.",
                whether,
            )
        )
    return " ".join(sentences)


def same_shot(number: int | str) -> dict[str, Any]:
    """Return the finding that a photo is of the same moment as photo `number` of the list."""
    return {
        "code": Issue.NEAR_DUPLICATE.value,
        "severity": Severity.INFO.value,
        "advice": _(
            "This looks like the same shot as photo %(number)s; one of them is enough.", number=number
        ),
    }


def failures(made: Sequence[Headshot]) -> dict[UUID, list[str]]:
    """Return why nothing of a photo was shown, by the photo's id; none of those that a picture came of."""
    shown = {one.photo_id for one in made if headshots.is_visible(one)}
    why: dict[UUID, list[str]] = {}
    for one in made:
        if one.photo_id not in shown and one.withheld_code:
            why.setdefault(one.photo_id, []).extend(words.withheld(one.withheld_code, one.gates))
    return {photo_id: list(dict.fromkeys(reasons)) for photo_id, reasons in why.items()}


def as_json(photo: Photo, failed: Sequence[str] = ()) -> dict[str, Any]:
    """Return what may be known of one photo; advice in the request's language.

    Args:
        photo: the photo.
        failed: why the studio showed nothing of it.
    """
    standing = standing_of(photo)
    verdict = photo.verdict or {}
    issues = advice(photo)
    again = standing is Standing.REJECTED and photo.check_failed_at is not None
    tried = standing is Standing.ACCEPTED and bool(failed)
    if tried:  # what the studio met says more than what the check supposed
        issues = [
            {"code": "withheld", "severity": Severity.WARN.value, "advice": reason} for reason in failed
        ]
    answered = photo.subject is not None and standing not in (Standing.CHECKING, Standing.ASKS)
    return {
        "id": str(photo.id),
        "upload_key": photo.upload_key,
        "by_company": photo.put_in_by is not None,
        "state": standing.value,
        "tried": tried,
        "could_be_better": any(issue["severity"] == Severity.WARN for issue in issues),
        "issues": issues,
        "rank": None,
        "reasons": [],
        # A second check makes another preview; an address of its own makes browsers fetch it.
        "preview_url": url_for("upload.preview", photo_id=photo.id, v=photo.preview_id.hex[-8:])
        if photo.preview_id
        else None,
        "middle": _middle(photo, verdict),
        "answered": answered,
        "faces": _faces(verdict.get("faces", [])) if answered or standing is Standing.ASKS else [],
        "choose_url": url_for("upload.choose", photo_id=photo.id),
        "again_url": url_for("upload.check_again", photo_id=photo.id) if again else None,
        "confirm_url": url_for("upload.confirm", photo_id=photo.id),
    }


def _middle(photo: Photo, verdict: dict[str, Any]) -> list[float] | None:
    """Where thumbnails are cropped to: the person's face, in per cent from the left and from the top."""
    faces = verdict.get("faces", [])
    if photo.subject is None and not faces:
        return None
    x, y = photo.subject or (
        faces[0]["left"] + faces[0]["width"] / 2,
        faces[0]["top"] + faces[0]["height"] / 2,
    )
    return [_percent(x), _percent(y)]


def _faces(boxes: Sequence[dict[str, float]]) -> list[dict[str, Any]]:
    """Return the faces from left to right, each with its name and its box in per cent of the photo."""
    order = sorted(range(len(boxes)), key=lambda index: boxes[index]["left"] + boxes[index]["width"] / 2)
    return [
        {
            "index": index,
            "number": number,
            "name": _name(number, len(boxes)),
            "x": _percent(boxes[index]["left"] + boxes[index]["width"] / 2),
            "y": _percent(boxes[index]["top"] + boxes[index]["height"] / 2),
            "width": _percent(boxes[index]["width"]),
            "height": _percent(boxes[index]["height"]),
        }
        for number, index in enumerate(order, 1)
    ]


def _name(number: int, count: int) -> str:
    if count > _FEW:
        return str(_("Person %(number)s of %(count)s, from the left", number=number, count=count))
    if number == 1:
        return str(_("Person %(number)s, on the left", number=number))
    if number == count:
        return str(_("Person %(number)s, on the right", number=number))
    return str(_("Person %(number)s, in the middle", number=number))


def _percent(fraction: float) -> float:
    return round(100 * min(1.0, max(0.0, fraction)), 2)

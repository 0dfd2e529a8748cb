"""What came of each photo: a headshot, nothing and why, or nothing because others were enough."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask_babel import gettext as _

from core.checks.shots import same_shot
from core.models import EngineName, Headshot, Photo
from core.portraits import headshots
from core.portraits.verdicts import Standing, standing_of
from portal import listing, words


@dataclass(frozen=True)
class Outcome:
    """What a page says of one photo.

    Attributes:
        number: of the photo, as on the page where it was added.
        photo: as the list of photos has it.
        tone: `good`, `warn`, `bad` or `info`.
        said: what came of it.
        reasons: why nothing came of it, each with what to do about it.
        nearest: whether nothing came of any and this one was nearest.
    """

    number: int
    photo: Mapping[str, Any]
    tone: str
    said: str
    reasons: Sequence[str] = ()
    nearest: bool = False


def of_run(
    found: Sequence[Photo],
    run: Sequence[Headshot],
    earlier: Sequence[Headshot] = (),
    names: Mapping[UUID, str] | None = None,
) -> list[Outcome]:
    """Return what a run made of each photo, oldest photo first; nothing for a run that worked from no single photo.

    Args:
        found: the participation's photos.
        run: what the run made and withheld.
        earlier: what the runs before it made.
        names: what the page calls the headshots that may be seen, by id.
    """
    tried = [one for one in run if of_a_photo(one)]
    if not tried or not found:
        return []
    nearest = _nearest(tried)
    return [
        _outcome(photo, number, found, tried, earlier, names or {}, nearest=photo.id == nearest)
        for number, photo in enumerate(found, 1)
    ]


def of_a_photo(headshot: Headshot) -> bool:
    """Whether it stands for one photo; what a model paints stands for none."""
    return headshot.engine != EngineName.DIFFUSION


def _outcome(
    photo: Photo,
    number: int,
    found: Sequence[Photo],
    tried: Sequence[Headshot],
    earlier: Sequence[Headshot],
    names: Mapping[UUID, str],
    *,
    nearest: bool,
) -> Outcome:
    own = [one for one in tried if one.photo_id == photo.id]
    failed = listing.failures(own).get(photo.id, ())
    told = listing.as_json(photo, failed)
    reasons = [issue["advice"] for issue in told["issues"]]
    made = [one for one in own if headshots.is_visible(one)]
    if made:
        called = ", ".join(names[one.id] for one in made if one.id in names)
        return Outcome(number, told, "good", _("✓ A headshot came of it: %(names)s", names=called))
    if failed:
        return Outcome(number, told, "warn", _("Tried, and held back"), list(failed), nearest)
    standing = standing_of(photo)
    if standing is Standing.REJECTED:
        return Outcome(number, told, "bad", _("✗ Cannot be used"), reasons)
    if standing in (Standing.ASKS, Standing.UNSURE):
        return Outcome(number, told, "warn", _("Left out, since it still asks you something"), reasons)
    if photo.checked_at is None or photo.checked_at > tried[0].created_at:
        return Outcome(number, told, "info", _("Added later, and not sent to the studio yet"))
    before = [one for one in earlier if one.photo_id == photo.id and of_a_photo(one)]
    if any(one.rejected_code for one in before):
        return Outcome(number, told, "info", _("Not used again, since you did not like its headshot"))
    if any(headshots.is_visible(one) for one in before):
        return Outcome(number, told, "good", _("✓ A headshot came of it before"))
    twin = _twin(photo, found, tried)
    if twin is not None:
        said = _("Not needed: the same shot as photo %(number)s", number=twin)
        return Outcome(number, told, "info", said)
    if any(headshots.is_visible(one) for one in tried):
        return Outcome(number, told, "info", _("Not needed: others were enough"))
    return Outcome(number, told, "info", _("Not tried: others looked better"), reasons)


def _twin(photo: Photo, found: Sequence[Photo], tried: Sequence[Headshot]) -> int | None:
    """Return the number of a photo of the same shot of which a headshot came."""
    made = {one.photo_id for one in tried if headshots.is_visible(one)}
    sign = (photo.verdict or {}).get("phash")
    for number, other in enumerate(found, 1):
        theirs = (other.verdict or {}).get("phash")
        if other.id in made and sign and theirs and same_shot(sign, theirs):
            return number
    return None


def _nearest(tried: Sequence[Headshot]) -> UUID | None:
    """Return the photo whose candidate failed by least; `None` where one passed."""
    if any(headshots.is_visible(one) for one in tried):
        return None
    return min(tried, key=lambda one: _missed(one.withheld_code, one.gates)).photo_id


def _missed(code: str | None, report: Mapping[str, Any]) -> tuple[bool, int, float]:
    """Return by how much: whether no picture came of it at all, how many gates failed, and how far in all."""
    failed = [gate for gate in report.get("gates", {}).values() if gate.get("passed") is False]
    return code != "gates", len(failed), sum(_over(gate) for gate in failed)


def _over(gate: Mapping[str, Any]) -> float:
    """Return the value in limits, above 1, whichever side the limit is on."""
    value, limit = abs(float(gate["value"])), abs(float(gate["limit"]))
    above, below = (limit, value) if gate.get("at_least") else (value, limit)
    return above / max(below, 1e-6)


def of_a_model(run: Iterable[Headshot]) -> list[str]:
    """Return why pictures that a model painted were withheld, each reason once."""
    held = [one for one in run if one.withheld_code and not of_a_photo(one)]
    return list(dict.fromkeys(why for one in held for why in words.withheld(one.withheld_code, one.gates)))

"""Photos that a company puts in for somebody who allowed it: theirs in every respect, and the choice stays theirs.

Allowing it is no consent to a purpose: what is done with a face rests on the same consents whoever brings the photos,
and each verb here asks for their proof as well. It says who may bring them, for one shoot.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from uuid import NAMESPACE_OID, UUID, uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, locks
from core.clock import now
from core.consent import Purpose, ValidConsent
from core.errors import Conflict, NotFound
from core.grounds import Ground, because
from core.models import Member, Participation, Photo, Shoot, State
from core.portraits import photos, submission
from core.shoots import participations, shoots
from core.vault import Sealed, vault
from core.words import N_

MARK = "."  # begins the key of a file that a company sends: no browser of a person's makes one


# Who takes no part, or not any more.
_OUT: Final = frozenset({State.DECLINED, State.EXPIRED, State.ERASED})


class Standing(StrEnum):
    """Whether a company may put photos in for somebody."""

    NOT_ALLOWED = "not_allowed"
    ALLOWED = "allowed"
    IN_STUDIO = "in_studio"
    MADE = "made"
    FAILED = "failed"
    TAKES_NO_PART = "takes_no_part"
    SHOOT_ENDED = "shoot_ended"


class NotAllowed(Conflict):
    """The person has not allowed it, or not any more."""

    code = "not_allowed_by_person"


class TakesNoPart(Conflict):
    """The person declined, was erased, has no access, or their time is over."""

    code = "takes_no_part"


class NoRoom(Conflict):
    """The person has as many photos as are used."""

    code = "too_many_photos"


def allow(session: Session, participation: Participation, *, sends: bool, actor: audit.Actor) -> None:
    """Let the company put photos in for the person, and send them to the studio too if they say so.

    Saying the same again changes nothing.

    Raises:
        ShootEnded: the company has ended the shoot.
        Conflict: it is not the time of photos.
    """
    locks.person(session, participation.member_id)
    photos.demand_open(session, participation)
    if participation.photos_by_company_at is not None and sends == may_send(participation):
        return
    moment = now()
    participation.photos_by_company_at = participation.photos_by_company_at or moment
    participation.sent_by_company_at = moment if sends else None
    _record(session, participation, audit.Tag.COMPANY_PHOTOS_ALLOWED, actor=actor, sends=sends)


def take_back(session: Session, participation: Participation, *, actor: audit.Actor) -> None:
    """Let the company put no more photos in; those that are here stay until somebody removes them. Twice is fine."""
    locks.person(session, participation.member_id)
    if participation.photos_by_company_at is None:
        return
    # With the keys, as consents that were taken back are: no restore of the database brings it back.
    noted = [_noted_as(participation.id, participation.photos_by_company_at)]
    vault().keys.withdrawals.note_after_commit(session, noted, now())
    participation.photos_by_company_at = participation.sent_by_company_at = None
    _record(session, participation, audit.Tag.COMPANY_PHOTOS_ENDED, actor=actor)


def may_send(participation: Participation) -> bool:
    """Whether the company may also send the photos to the studio."""
    return participation.sent_by_company_at is not None


def standing(participation: Participation, member: Member, shoot: Shoot) -> Standing:
    """Return whether the company may put photos in for somebody now, and why not."""
    state = State(participation.state)
    if state in _OUT or member.disabled_at is not None or member.restricted_at is not None:
        return Standing.TAKES_NO_PART
    if state in participations.SETTLED or state is State.READY:
        return Standing.MADE
    if state in (State.SUBMITTED, State.RENDERING):
        return Standing.IN_STUDIO
    if shoot.closed_at is not None:
        return Standing.SHOOT_ENDED
    if state is State.FAILED:
        return Standing.FAILED
    return Standing.NOT_ALLOWED if participation.photos_by_company_at is None else Standing.ALLOWED


def demand(session: Session, participation: Participation) -> None:
    """Stop here unless the company may put photos in for the person now; the person is locked first.

    Raises:
        ShootClosed: the shoot has ended.
        TakesNoPart: the person declined, was erased, has no access, or their time is over.
        NotAllowed: they have not allowed it, or not any more.
        Conflict: the photos are with the studio already.
    """
    locks.person(session, participation.member_id)
    shoots.open_or_refuse(shoots.get(session, participation.shoot_id))
    state = State(participation.state)
    if state in _OUT:
        raise TakesNoPart(N_("This person takes no part in this shoot, so nothing was kept or sent."))
    if session.get_one(Member, participation.member_id).disabled_at is not None:
        raise TakesNoPart(N_("This person’s access is switched off, so nothing was kept or sent."))
    if participation.photos_by_company_at is None:
        raise NotAllowed(
            N_(
                "This person has not allowed that photos are put in for them, or has taken it back, so nothing was "
                "kept or sent. Send them their link: they can allow it on the page where photos are added."
            )
        )
    if state not in photos.OPEN:
        raise Conflict(
            N_("This person’s photos are with the studio already, so nothing was kept or sent."),
            state=state.value,
        )


def demand_room(session: Session, participation: Participation) -> None:
    """Refuse a photo before it is sealed, as `put_in` does.

    Raises:
        AppError: those of `demand`.
        NoRoom: as many photos are here as are used.
    """
    demand(session, participation)
    if photos.count(session, participation.id) >= photos.MAX_PHOTOS:
        raise NoRoom(
            N_(
                "This person has %(most)s photos already, which is the most that is used. Nothing more was kept: remove one first."
            ),
            most=photos.MAX_PHOTOS,
        )


def put_in(
    session: Session,
    participation: Participation,
    sealed: Sealed,
    *,
    upload_key: str,
    consent: ValidConsent,
    actor: audit.Actor,
) -> photos.Stored:
    """Keep a photo for the person and owe its check; the same `upload_key` again returns the first one.

    Args:
        session: bound to the organization.
        participation: the person's part in the shoot.
        sealed: what `photos.seal` made of the file, under the person's key.
        upload_key: chosen by the browser for this one file.
        consent: proof that the person agreed to `photo`.
        actor: who of the company puts it in.

    Raises:
        AppError: those of `demand_room`.
        ConsentRequired: `photo` was not agreed to.
    """
    demand(session, participation)
    if known(session, participation, upload_key) is None:
        demand_room(session, participation)
    return photos.store(
        session, participation, sealed, upload_key=MARK + upload_key, consent=consent, put_in_by=actor
    )


def known(session: Session, participation: Participation, upload_key: str) -> Photo | None:
    """Return the photo that an earlier try of the company's brought; never one of the person's own."""
    return photos.of_key(session, participation, MARK + upload_key)


def of_participation(session: Session, participation_id: UUID) -> list[Photo]:
    """Return the photos that the company put in and that were not removed, oldest first."""
    return [one for one in photos.of_participation(session, participation_id) if one.put_in_by is not None]


def remove(session: Session, participation: Participation, photo_id: UUID, *, actor: audit.Actor) -> None:
    """Delete for good a photo that the company put in by mistake, while it may put some in; afterwards its person does.

    Raises:
        AppError: those of `demand`.
        NotFound: there is none of this id, its person sent it themselves, or it was removed.
    """
    demand(session, participation)
    photo = photos.get(session, participation.member_id, photo_id)
    if photo.participation_id != participation.id or photo.put_in_by is None:
        raise NotFound(N_("This photo does not exist any more."))
    with because(session, Ground.WORK):  # not its person's doing
        photos.remove(session, photo, actor=actor)


def remove_all(session: Session, participation: Participation, *, actor: audit.Actor) -> int:
    """Delete for good what the company put in; return how many photos that were.

    Raises:
        ShootEnded: the company has ended the shoot.
        Conflict: the photos are with the studio already.
    """
    locks.person(session, participation.member_id)
    held = of_participation(session, participation.id)
    for photo in held:
        photos.remove(session, photo, actor=actor)
    return len(held)


def submit(
    session: Session, participation: Participation, *, consent: ValidConsent, actor: audit.Actor
) -> None:
    """Send the person's photos to the studio, their own and those put in, for somebody who allowed that too.

    Raises:
        AppError: those of `demand`.
        ConsentRequired: `photo` was not agreed to.
        NotAllowed: they send their photos themselves.
        NoGoodPhoto: none was accepted.
        StillChecking: checks are running.
        StillAsks: none was accepted yet, but the person can say of one which face is theirs, or that it is.
    """
    consent.demand(Purpose.PHOTO)
    demand(session, participation)
    if not may_send(participation):
        raise NotAllowed(
            N_("This person sends their photos to the studio themselves. Nothing was sent: remind them.")
        )
    submission.submit(session, participation, actor=actor)


def brought_back(session: Session, member_ids: Sequence[UUID]) -> list[Participation]:
    """Return where a restored backup lets a company put photos in although that was taken back."""
    rows = session.scalars(
        select(Participation).where(
            Participation.member_id.in_(member_ids), Participation.photos_by_company_at.is_not(None)
        )
    )
    by_note = {_noted_as(row.id, row.photos_by_company_at): row for row in rows if row.photos_by_company_at}
    return [by_note[one] for one in vault().keys.withdrawals.among(by_note)]


def _noted_as(participation_id: UUID, since: datetime) -> UUID:
    """Return the number of one permission: given anew after it was taken back, it is another."""
    return uuid5(NAMESPACE_OID, f"{participation_id} {since.astimezone(UTC).isoformat()}")


def _record(
    session: Session,
    participation: Participation,
    tag: audit.Tag,
    *,
    actor: audit.Actor,
    **facts: audit.Fact,
) -> None:
    session.flush()
    audit.record(
        session,
        tag,
        actor=actor,
        subject=session.get_one(Member, participation.member_id),
        participation=str(participation.id),
        **facts,
    )

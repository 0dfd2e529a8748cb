"""What people removed singly stays removed: noted with the keys, and removed again after a restore.

A photo, an own picture, and a part in a shoot that was declined while others go on. Each note is a keyed hash, beside
those of erasures and of consents that were taken back; it is written right after the commit, and again every hour for
what was removed lately. What retention removed is not noted: it is due again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Uuid, cast, select
from sqlalchemy.orm import Session

from compliance.consent import leaving
from core import audit, locks, uploads
from core.clock import now
from core.db import Lookup, transaction
from core.grounds import Ground, because
from core.ids import first_of
from core.models import (
    Alternative,
    Arrival,
    Artifact,
    AuditEvent,
    Kind,
    Member,
    Participation,
    Person,
    Photo,
    State,
    Upload,
    Use,
)
from core.portraits import arrivals, avatars, photos
from core.shoots import participations
from core.vault import vault

BATCH: Final = 1000
LATELY: Final = timedelta(days=1)  # a key store that was away for longer has an operator's attention
# Of these nothing is there to remove: nothing was agreed to yet, or all is gone.
_OVER: Final = frozenset({State.INVITED, State.OPENED, State.DECLINED, State.EXPIRED, State.ERASED})


@dataclass
class _Standing:
    """What stands of people and could have been removed singly, by the id that a note of it would be about."""

    photos: dict[UUID, Photo] = field(default_factory=dict)
    pictures: dict[UUID, Artifact] = field(default_factory=dict)
    parts: dict[UUID, Participation] = field(default_factory=dict)

    def ids(self) -> set[UUID]:
        """Return all of them."""
        return {*self.photos, *self.pictures, *self.parts}

    def only(self, ids: set[UUID]) -> _Standing:
        """Return those of these ids."""
        return _Standing(
            {one: row for one, row in self.photos.items() if one in ids},
            {one: row for one, row in self.pictures.items() if one in ids},
            {one: row for one, row in self.parts.items() if one in ids},
        )

    def whose(self) -> set[UUID]:
        """Return whose they are."""
        rows: tuple[Photo | Artifact | Participation, ...]
        rows = (*self.photos.values(), *self.pictures.values(), *self.parts.values())
        return {row.member_id for row in rows if row.member_id is not None}


def replay() -> int:
    """Remove again what a restored backup brought back, note what may not be noted; return how many things that were."""
    again = 0
    for org_id in Lookup.organizations():
        for people in _people(org_id):
            with transaction(org_id) as session:
                again += _replay(session, people)
        with transaction(org_id) as session:
            _note(session)
    return again


def end_unfinished(session: Session) -> None:
    """Forget pictures of people's own that wait to be checked, and photos that have arrived in part.

    After a restore nobody knows what came of them: a picture that is checked once more would be kept under an id that no
    note is about. Whoever still wants it there sends it again.
    """
    sent = select(Upload).where(Upload.use == Use.OWN_PICTURE)
    owners = locks.owners(
        session, sent.with_only_columns(Upload.member_id), select(Arrival.member_id).distinct()
    )
    with because(session, Ground.RESTORED):
        uploads.forget(session, session.scalars(sent.where(Upload.member_id.in_(owners))).all())
        for member_id in owners:
            arrivals.forget_all(session, member_id)


def standing() -> int:
    """Return how many things stand that the ledger says their people removed."""
    count = 0
    for org_id in Lookup.organizations():
        for people in _people(org_id):
            with transaction(org_id, nameless=True) as session:
                count += len(_brought_back(session, people).ids())
    return count


def brought_back(since: datetime) -> bool:
    """Whether something stands that was removed at `since` or later.

    It takes a keyed hash for each living person where anybody removed something, and one for each thing of theirs.
    """
    noted = vault().keys.removals.since(since)
    if not noted:
        return False
    whose = vault().keys.removals.people_since(since)
    for org_id in Lookup.organizations():
        with transaction(org_id, nameless=True) as session:
            found = [one for one in _living(session) if vault().keys.erasures.hash(one) in whose]
            for start in range(0, len(found), BATCH):
                held = _standing(session, found[start : start + BATCH]).ids()
                if not noted.isdisjoint(map(vault().keys.removals.hash, held)):
                    return True
    return False


def _living(session: Session) -> list[UUID]:
    return list(session.scalars(select(Person.id).where(Person.erased_at.is_(None)).order_by(Person.id)))


def _people(org_id: UUID) -> Iterator[list[UUID]]:
    """Yield those who ever removed something singly, some at a time."""
    with transaction(org_id, nameless=True) as session:
        living = _living(session)
    for start in range(0, len(living), BATCH):
        if found := vault().keys.removals.people_among(living[start : start + BATCH]):
            yield sorted(found)


def _standing(session: Session, member_ids: list[UUID]) -> _Standing:
    held = session.scalars(select(Photo).where(Photo.member_id.in_(member_ids), Photo.removed_at.is_(None)))
    pictures = session.scalars(
        select(Artifact).where(
            Artifact.member_id.in_(member_ids),
            Artifact.kind == Kind.OWN_PICTURE,
            Artifact.delete_requested_at.is_(None),
        )
    )
    parts = {
        row.id: row
        for row in session.scalars(
            select(Participation).where(
                Participation.member_id.in_(member_ids), Participation.state.not_in(_OVER)
            )
        )
    }
    return _Standing(
        {row.id: row for row in held},
        {row.id: row for row in pictures},
        {given: parts[part] for part, given in leaving.rests_on(session, parts).items()},
    )


def _brought_back(session: Session, member_ids: list[UUID]) -> _Standing:
    """Return what stands of people although it was removed."""
    held = _standing(session, member_ids)
    return held.only(vault().keys.removals.among(held.ids()))


def _replay(session: Session, member_ids: list[UUID]) -> int:
    if not (found := _brought_back(session, member_ids).whose()):
        return 0
    locks.people(session, found)
    back = _brought_back(session, sorted(found))  # as it is now that nobody changes it
    with because(session, Ground.RESTORED):
        _end(session, back)
    return len(back.ids())


def _end(session: Session, back: _Standing) -> None:
    photos.end(session, list(back.photos.values()))
    photos.record_removed(session, list(back.photos.values()), actor=audit.SYSTEM, reason="restored")
    for picture in back.pictures.values():
        assert picture.member_id is not None
        avatars.remove_own_picture(session, session.get_one(Member, picture.member_id))
        participations.lose_picture(session, picture.member_id)
    for part in back.parts.values():
        standing_in = Alternative(part.alternative or Alternative.INITIALS)
        leaving.decline(session, part, standing_in, actor=audit.SYSTEM)


def _note(session: Session) -> None:
    """Note what was removed lately and is not noted, should the process or the key store have been away."""
    since = now() - LATELY
    living = Person.erased_at.is_(None)
    told = (
        select(cast(AuditEvent.facts["photo"].astext, Uuid))
        .where(AuditEvent.id >= first_of(since), AuditEvent.tag == audit.Tag.PHOTO_REMOVED)
        .where(AuditEvent.facts["reason"].astext.is_distinct_from("retention"))
    )
    removed = select(Photo).join(Person).where(living, Photo.id.in_(told), Photo.removed_at.is_not(None))
    lately = [(row.id, row.member_id, row.removed_at) for row in session.scalars(removed)]
    pictures = select(Artifact).join(Person).where(living, Artifact.kind == Kind.OWN_PICTURE)
    for picture in session.scalars(pictures.where(Artifact.delete_requested_at > since)):
        assert picture.member_id is not None
        lately.append((picture.id, picture.member_id, picture.delete_requested_at))
    declined = select(Participation).join(Person).where(living, Participation.changed_at > since)
    parts = {row.id: row for row in session.scalars(declined.where(Participation.state == State.DECLINED))}
    for part, given in leaving.rests_on(session, parts).items():
        lately.append((given, parts[part].member_id, parts[part].changed_at))
    known = vault().keys.removals.among([one for one, _, _ in lately])
    for one, member_id, at in lately:
        if one not in known:
            vault().keys.removals.note(member_id, [one], at or now())

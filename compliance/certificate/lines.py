"""The lines of a certificate: every place where something about a person was, read again now.

Which places there are comes from the map of what is personal (`core.personal`) and from the inventory of stored files,
so a table or a kind of file that a later change adds has its line, or nothing is certified.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import Table, func, select
from sqlalchemy.orm import Session

from compliance import farewells
from compliance.certificate.facts import Check, Line, Method, Where
from compliance.certificate.parts import VerificationFailed
from compliance.certificate.readback import ReadBack
from compliance.erasure import rows
from core import personal
from core.models import Artifact, Erasure, Kind, Photo
from core.models.base import Base
from core.models.member import DIRECTORY
from core.settings import settings
from core.vault import Marked, derive, vault

OWNER_KEY = "key"
FILE_KEYS = "file_keys"
LETTER_KEY = "letter_key"


@dataclass(frozen=True)
class Files:
    """A person's stored files, looked for again outside of any transaction."""

    by_kind: Mapping[str, ReadBack]

    @property
    def left(self) -> set[str]:
        """Names of those that are still there."""
        return {name for read in self.by_kind.values() for name in read.left}


def stored(session: Session, member_id: UUID) -> dict[str, list[Marked]]:
    """Return every file that there ever was of a person, by kind, as the inventory has them."""
    found: dict[str, list[Marked]] = {}
    for artifact in _artifacts(session, member_id):
        found.setdefault(artifact.kind, []).append(Marked(artifact.id, artifact.object_name))
    return found


def look_for(files: Mapping[str, Sequence[Marked]]) -> Files:
    """Ask the storage for each of these files again. What a restored storage brought back is removed first.

    Raises:
        Unavailable: the storage does not answer.
    """
    back = [one for held in files.values() for one in held if vault().store.exists(one.object_name)]
    if back:
        vault().remove(back)
    return Files(
        {
            kind: ReadBack(Check.NOT_FOUND, [one.object_name for one in held], _still_stored)
            for kind, held in sorted(files.items())
        }
    )


def _still_stored(names: Collection[str]) -> list[str]:
    return [name for name in names if vault().store.exists(name)]


def read(session: Session, erasure: Erasure, files: Files) -> tuple[Line, ...]:
    """Read everything again and return a line for each category.

    Args:
        session: bound to the organization, in the transaction that certifies.
        erasure: executed.
        files: what the storage said.

    Raises:
        VerificationFailed: something was left somewhere, or a place was not looked at.
    """
    artifacts = _artifacts(session, erasure.member_id)
    lines = (
        *_file_lines(session, erasure, artifacts, files),
        *_key_lines(erasure, artifacts, _letter_keys(session, erasure)),
        *_row_lines(session, erasure),
    )
    demand(session, erasure.member_id, lines)
    return lines


def demand(session: Session, member_id: UUID, lines: Sequence[Line]) -> None:
    """Demand that every place of the map and of the inventory has its line, and that nothing was left in any.

    Raises:
        VerificationFailed: names the places.
    """
    artifacts = _artifacts(session, member_id)
    wanted = {place(one.object_name) for one in artifacts}
    wanted |= set(_keys(member_id, artifacts))
    wanted |= {name for table in tables() for name in _columns(table)}
    unread = sorted(wanted - {name for line in lines for name in line.places})
    if unread:
        raise VerificationFailed("A place was not read again, so nothing is certified.", locations=unread)
    if left := [f"{line.where.value}/{line.category}" for line in lines if not line.ok]:
        raise VerificationFailed("Something could still be read after deletion.", locations=left)


def key_id(owner_id: UUID) -> str:
    """Return what a certificate calls a person's key: nothing that stands in an address or a row."""
    return hmac.new(derive("key names"), owner_id.bytes, hashlib.sha256).hexdigest()[:32]


def place(object_name: str) -> str:
    """Return what a certificate calls a file: its name stands in the inventory, beside whose it was."""
    return hmac.new(derive("key names"), object_name.encode(), hashlib.sha256).hexdigest()[:32]


def _artifacts(session: Session, member_id: UUID) -> Sequence[Artifact]:
    asked = select(Artifact).where(Artifact.member_id == member_id).order_by(Artifact.kind, Artifact.id)
    return session.scalars(asked).all()


def _file_lines(
    session: Session, erasure: Erasure, artifacts: Sequence[Artifact], files: Files
) -> Iterator[Line]:
    sizes: dict[str, int] = {}
    for one in artifacts:
        sizes[one.kind] = sizes.get(one.kind, 0) + one.size
    for kind, looked in files.by_kind.items():
        yield Line(
            where=Where.OBJECTS,
            category=kind,
            count=_things(session, erasure.member_id, kind, len(looked.places)),
            bytes=sizes.get(kind, 0),
            places=tuple(map(place, looked.places)),
            method=Method.DELETE,
            key_id=key_id(erasure.member_id),
            epoch=erasure.epoch,
            verification=looked.verification,
        )


def _things(session: Session, member_id: UUID, kind: str, files: int) -> int:
    """Return how many things so many files of a kind were: a photo is stored as it came and again as it was cleaned."""
    if kind != Kind.PHOTO:
        return files
    photos = select(func.count()).select_from(Photo).where(Photo.member_id == member_id)
    return min(files, session.scalar(photos) or files)


def _key_lines(erasure: Erasure, artifacts: Sequence[Artifact], letter: Mapping[str, UUID]) -> Iterator[Line]:
    own = _file_keys(artifacts)
    owner = _owner_keys(erasure.member_id)
    for category, keys in ((OWNER_KEY, owner), (FILE_KEYS, own), (LETTER_KEY, letter)):
        if not keys:
            continue
        looked = ReadBack(Check.KEY_ABSENT, keys, partial(_still_there, keys))
        yield Line(
            where=Where.KEYS,
            category=category,
            count=len(keys),
            places=looked.places,
            method=Method.CRYPTO_ERASE,
            epoch=erasure.epoch,
            verification=looked.verification,
        )


def _owner_keys(member_id: UUID) -> dict[str, UUID]:
    return {key_id(member_id): member_id}


def _letter_keys(session: Session, erasure: Erasure) -> dict[str, UUID]:
    """Return the key of the mail that told the person: it had their address, sealed, until it was sent."""
    farewell = farewells.of(session, erasure.id)
    return {} if farewell is None else {key_id(farewell.id): farewell.id}


def _file_keys(artifacts: Sequence[Artifact]) -> dict[str, UUID]:
    return {key_id(one.id): one.id for one in artifacts if one.own_key}


def _keys(member_id: UUID, artifacts: Sequence[Artifact]) -> dict[str, UUID]:
    return _owner_keys(member_id) | _file_keys(artifacts)


def _still_there(keys: Mapping[str, UUID], asked: Collection[str]) -> list[str]:
    there = vault().keys.among(list(keys.values()))
    return [name for name in asked if keys[name] in there]


def _row_lines(session: Session, erasure: Erasure) -> Iterator[Line]:
    again = rows.overwrite_again(session, erasure)
    expires = _expires(erasure, again)
    for table in tables():
        looked = ReadBack(
            Check.EMPTIED,
            _columns(table),
            partial(_left_in, session, erasure.member_id, table),
        )
        person = personal.person_of(table)
        assert person is not None
        about = select(func.count()).select_from(table).where(person == erasure.member_id)
        count = session.scalar(about) or 0
        yield Line(
            where=Where.DATABASE,
            category=table.name,
            count=count,
            places=looked.places,
            method=Method.OVERWRITE,
            verification=looked.verification,
            # Plain names stand in no backup; of the other tables some choices do, or what is older than sealed columns.
            backup_readable_until=expires if count and table is not DIRECTORY else None,
        )


def _left_in(session: Session, member_id: UUID, table: Table, _columns: Collection[str]) -> list[str]:
    return rows.left(session, member_id, [table])


def _expires(erasure: Erasure, again: datetime | None) -> datetime:
    """Return when the last backup of the database that has the old values is deleted."""
    assert erasure.objects_destroyed_at is not None
    return (again or erasure.objects_destroyed_at) + timedelta(days=settings().backup_days)


def tables() -> Iterator[Table]:
    """Yield the tables in which something is said about people."""
    for table, _ in personal.about_people(Base.metadata):
        if any(isinstance(personal.declared(column), personal.Personal) for column in table.columns):
            yield table


def _columns(table: Table) -> list[str]:
    return [
        f"{table.name}.{column.name}"
        for column in table.columns
        if isinstance(personal.declared(column), personal.Personal)
    ]

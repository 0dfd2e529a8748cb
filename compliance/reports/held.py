"""Every value that the map calls somebody's, read from whatever table it lies in: nothing of it is listed by hand.

What names nobody else is left out of: a photo may show others, and where their faces are is theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Column, LargeBinary, Uuid, inspect, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from compliance.requests import words as request_words
from core import personal
from core.clock import rfc3339
from core.models import Member, Person, Photo, SubjectRequest
from core.models.base import Base, Tenant
from core.models.sealed import SealedRow
from core.personal import Harmless, Personal

# Random numbers and hashes say nothing to anybody, and some open something.
_SILENT: Final = frozenset({Harmless.RANDOM, Harmless.KEYED})

# What the company has not decided yet is its own thought, and no answer.
_UNDECIDED: Final = frozenset({"proposed"})


def tables() -> list[type[Tenant]]:
    """Return what has rows about people, by name."""
    found = [
        mapper.class_
        for mapper in Base.registry.mappers
        if mapper.class_ is not Person and personal.person_of(mapper.local_table) is not None  # type: ignore[arg-type]
    ]
    return sorted(found, key=lambda one: str(one.__tablename__))


def read(session: Session, member: Member, *, biometrics: bool = True) -> dict[str, list[dict[str, Any]]]:
    """Return what every table has of `member`, opened, without what is somebody else's.

    Args:
        session: bound to their organization.
        member: whose it is.
        biometrics: with what was computed of a picture so that it can be told from others.
    """
    found = {}
    for model in tables():
        person: InstrumentedAttribute[UUID] = getattr(model, "id" if model is Member else "member_id")
        rows = session.scalars(select(model).where(person == member.id).order_by(model.id))
        if values := [_values(row, biometrics=biometrics) for row in rows]:
            found[str(model.__tablename__)] = values
    return found


def _values(row: Tenant, *, biometrics: bool) -> dict[str, Any]:
    found = {name: plain(getattr(row, name)) for name in shown(type(row))}
    if isinstance(row, SealedRow):
        found |= {one.name: plain(getattr(row, one.name)) for one in type(row).sealed_values()}
    if isinstance(row, SubjectRequest):
        found |= asdict(request_words.read(row))
    if isinstance(row, Photo):
        found["verdict"] = own_face_only(row.verdict, row.subject, biometrics=biometrics)
    return {"id": str(row.id), **found}


def shown(model: type[Tenant]) -> Iterator[str]:
    """Yield the attributes of a table that say something to its person, but for what lies sealed in one of them."""
    for attribute in inspect(model).column_attrs:
        column = attribute.columns[0]
        if isinstance(column, Column) and _is_shown(column, attribute.key):
            yield attribute.key


def _is_shown(column: Column[Any], name: str) -> bool:
    if name.startswith("plain_") or name == "sealed" or name in _UNDECIDED:
        return False  # read by the names of what lies in them
    said = personal.declared(column)
    if isinstance(said, Personal):
        return True
    return said not in _SILENT and not isinstance(column.type, Uuid | LargeBinary)


def plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, bytes):
        return value.hex()
    return str(value) if isinstance(value, UUID) else value


def own_face_only(
    verdict: dict[str, Any] | None, subject: tuple[float, float] | None, *, biometrics: bool = True
) -> dict[str, Any] | None:
    """Return what was found on a photo with how many faces there are, and where the person's own is, and nobody else's."""
    if verdict and not biometrics:
        verdict = {name: value for name, value in verdict.items() if name != "phash"}
    if not verdict or "faces" not in verdict:
        return verdict
    faces = list(verdict["faces"])
    own = faces if len(faces) == 1 else [one for one in faces if subject and _is_at(one, subject)]
    return {**verdict, "faces": own[:1], "number_of_faces": len(faces)}


def _is_at(face: dict[str, float], middle: tuple[float, float]) -> bool:
    across, down = middle
    return (
        face["left"] <= across <= face["left"] + face["width"]
        and face["top"] <= down <= face["top"] + face["height"]
    )

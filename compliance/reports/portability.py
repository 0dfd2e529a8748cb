"""What a person provided, to take to somebody else (GDPR Art. 20): JSON by a published schema, and the pictures that they sent.

What was computed or made of it is no part: the access report has that (Art. 15).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance.reports import files
from core.audit import Tag
from core.clock import now, rfc3339
from core.db import transaction
from core.models import AuditEvent, Consent, Headshot, Kind, Member, Participation, Photo
from core.vault import ArtifactGone, KeyErased, vault

FORMAT: Final = "headshots.portability/1"
FOLDERS: Final = {Kind.PHOTO: "photos", Kind.OWN_PICTURE: "own-picture", Kind.UPLOAD: "own-picture"}
SCHEMA_NAME: Final = "portability-1.schema.json"
SCHEMA: Final = (Path(__file__).parent / SCHEMA_NAME).read_bytes()


@dataclass(frozen=True)
class Package:
    """What is handed over.

    Attributes:
        content: `provided.json`.
        files: name and artifact of each picture.
    """

    content: bytes
    files: tuple[tuple[str, UUID], ...]


def package(session: Session, member: Member) -> Package:
    """Collect what `member` gave: pictures, choices and answers; nothing that their company or the program said of them."""
    by_company = set(
        session.scalars(
            select(Photo.artifact_id).where(Photo.member_id == member.id, Photo.put_in_by.is_not(None))
        )
    )
    held = [one for one in files.held(session, member.id, FOLDERS) if one.id not in by_company]
    names = files.names(held, FOLDERS)
    said: dict[str, Any] = {
        "format": FORMAT,
        "exported_at": rfc3339(now()),
        "language": member.language,
        "consents": [
            {
                "purpose": row.purpose,
                "granted": row.granted,
                "at": rfc3339(row.created_at),
                "withdrawn_at": rfc3339(row.withdrawn_at) if row.withdrawn_at else None,
            }
            for row in session.scalars(
                select(Consent).where(Consent.member_id == member.id).order_by(Consent.id)
            )
        ],
        "photos": list(_photos(session, member.id, names)),
        "choices": list(_choices(session, member.id)),
        "own_pictures": sorted(name for name in names.values() if name.startswith("own-picture/")),
    }
    if (signed_up := _signed_up(session, member)) is not None:
        said["signed_up"] = signed_up
    content = json.dumps(said, indent=1, ensure_ascii=False).encode()
    return Package(content, tuple((name, key) for key, name in names.items()))


def _signed_up(session: Session, member: Member) -> dict[str, str] | None:
    """Return name and address where they said them at an open link, and nobody has changed them since."""
    asked = select(AuditEvent).where(
        AuditEvent.subject_id == member.id, AuditEvent.tag.in_((Tag.MEMBER_JOINED, Tag.MEMBER_FACTS_CHANGED))
    )
    events = session.scalars(asked).all()
    if [one.tag for one in events] != [Tag.MEMBER_JOINED]:
        return None
    return {
        "email": member.email or "",
        "first_name": member.first_name or "",
        "last_name": member.last_name or "",
        "at": rfc3339(events[0].created_at),
    }


def contents(org_id: UUID, wanted: Package) -> Iterator[tuple[str, bytes]]:
    """Yield each file by name; a picture that is deleted meanwhile is left out."""
    yield "provided.json", wanted.content
    yield SCHEMA_NAME, SCHEMA
    for name, artifact_id in wanted.files:
        try:
            with transaction(org_id) as session:
                kept = vault().find(session, artifact_id)
            yield name, vault().open(kept)
        except (ArtifactGone, KeyErased):
            continue


def _photos(session: Session, member_id: UUID, names: dict[UUID, str]) -> Iterator[dict[str, Any]]:
    for row in session.scalars(select(Photo).where(Photo.member_id == member_id).order_by(Photo.id)):
        if row.artifact_id in names:
            yield {
                "file": names[row.artifact_id],
                "uploaded_at": rfc3339(row.created_at),
                "my_face_at": list(row.subject) if row.subject else None,
                "i_said_it_is_me_at": rfc3339(row.confirmed_at) if row.confirmed_at else None,
            }


def _choices(session: Session, member_id: UUID) -> Iterator[dict[str, Any]]:
    parts = session.scalars(
        select(Participation).where(Participation.member_id == member_id).order_by(Participation.id)
    )
    for part in parts:
        if part.alternative:
            yield {"what": "alternative", "value": part.alternative, "at": rfc3339(part.changed_at)}
        if part.approved_at:
            yield {"what": "approved", "value": None, "at": rfc3339(part.approved_at)}
        if part.reminders_ended_at:
            yield {"what": "reminders_ended", "value": None, "at": rfc3339(part.reminders_ended_at)}
        if part.photos_by_company_at:
            said = "and_sends" if part.sent_by_company_at else None
            yield {"what": "company_photos", "value": said, "at": rfc3339(part.photos_by_company_at)}
    shots = select(Headshot).where(Headshot.member_id == member_id, Headshot.rejected_code.is_not(None))
    for shot in session.scalars(shots.order_by(Headshot.id)):
        at = rfc3339(shot.rejected_at) if shot.rejected_at else None
        yield {"what": "rejected", "value": shot.rejected_code, "at": at}

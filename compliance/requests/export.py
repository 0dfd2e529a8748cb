"""The copy that a person has a right to (GDPR Art. 15): the report in words, the records, and every file that is theirs."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance import consent
from compliance.origin.credentials import sign
from compliance.origin.iptc import Caption, into_png, xmp
from compliance.origin.making import Making
from compliance.origin.reading import media_type_of
from compliance.origin.signer import signer
from compliance.reports import files, held, making, page
from compliance.reports.document import Document
from compliance.reports.manifest import Sent
from compliance.requests.regimes import regime_of
from core.clock import now, rfc3339
from core.db import transaction
from core.models import (
    Adapter,
    Artifact,
    AuditEvent,
    Consent,
    Delivery,
    Headshot,
    Invite,
    Kind,
    Member,
    Participation,
    Photo,
    Shoot,
    Style,
)
from core.people import organizations
from core.portraits import marks
from core.regimes import Regime
from core.vault import ArtifactGone, KeyErased, vault

FORMAT = "headshots.export/2"
# Never an adapter or a checkpoint: whoever holds one could make pictures of the person.
FOLDER = {
    Kind.PHOTO: "photos",
    Kind.LIKENESS: "likeness",
    Kind.HEADSHOT: "headshots",
    Kind.OWN_PICTURE: "own-picture",
    Kind.UPLOAD: "own-picture",
}


@dataclass(frozen=True)
class File:
    """One file of an export.

    Attributes:
        name: Within the archive.
        artifact_id: What it holds.
        making: How it was made, where we made it; a photo is given back as it came.
        mark: What its watermark says, where it has one.
    """

    name: str
    artifact_id: UUID
    making: Making | None
    mark: int | None = None


@dataclass(frozen=True)
class Plan:
    """What a person takes along.

    Attributes:
        records: `data.json`.
        files: Pictures and the rest.
        company: Who is named as the maker of headshots.
        report: The same in words, without the list of what goes with it.
        regime: The law that it is written by.
    """

    records: bytes
    files: list[File]
    company: str
    report: Document
    regime: Regime


def plan(session: Session, member: Member, language: str | None = None) -> Plan:
    """Collect the records of `member`, the names of their files, and the report.

    Args:
        session: bound to their organization.
        member: whose data it is.
        language: of the report, as its pages have it; theirs if not given.
    """
    regime = regime_of(session, member)
    biometrics = making.hands_over_biometrics(regime)
    folders: dict[Kind, str] = {k: f for k, f in FOLDER.items() if biometrics or k is not Kind.LIKENESS}
    artifacts = files.held(session, member.id, folders)
    names = files.names(artifacts, folders)
    records = {
        "format": FORMAT,
        "exported_at": rfc3339(now()),
        **_records(session, member, names, biometrics=biometrics),
        "held": held.read(session, member, biometrics=biometrics),
    }
    content = json.dumps(records, indent=2, ensure_ascii=False).encode()
    made = _makings(session, member)
    own = {
        artifact.id: Making.of_own_picture() for artifact in artifacts if artifact.kind == Kind.OWN_PICTURE
    }
    taken = [
        File(name, key, *made[key]) if key in made else File(name, key, own.get(key))
        for key, name in names.items()
    ]
    report = making.report(
        session, member, language=organizations.spoken(session, language or member.language), names=names
    )
    return Plan(content, taken, organizations.current(session).name, report, regime)


def _makings(session: Session, member: Member) -> dict[UUID, tuple[Making, int | None]]:
    """Return how each headshot was made, and its watermark, by its artifact."""
    rows = session.execute(
        select(Headshot, Style)
        .join(Style, Style.id == Headshot.style_id)
        .where(Headshot.member_id == member.id, Headshot.artifact_id.is_not(None))
    )
    return {
        row.artifact_id: (Making.of_headshot(row.engine, style.parsed, row.notes), row.mark)
        for row, style in rows
        if row.artifact_id is not None
    }


def _at(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None


def _records(session: Session, member: Member, names: dict[UUID, str], *, biometrics: bool) -> dict[str, Any]:
    own = member.id
    participations = session.execute(
        select(Participation, Shoot)
        .join(Shoot, Shoot.id == Participation.shoot_id)
        .where(Participation.member_id == own)
        .order_by(Participation.id)
    )
    return {
        "person": {
            "first_name": member.first_name,
            "last_name": member.last_name,
            "email": member.email,
            "employee_id": member.employee_id,
            "department": member.department,
            "place": member.place,
            "language": member.language,
            "role": member.role,
            "known_since": _at(member.created_at),
        },
        "shoots": [
            {
                "name": shoot.name,
                "deadline": _at(shoot.deadline),
                "engine": shoot.engine,
                "state": row.state,
                "state_since": _at(row.changed_at),
                "alternative": row.alternative,
                "approved_at": _at(row.approved_at),
                "reminders_ended_at": _at(row.reminders_ended_at),
                "company_may_put_photos_in_since": _at(row.photos_by_company_at),
                "company_may_send_them_since": _at(row.sent_by_company_at),
                "made_by_the_studio_because": row.fallback_code,
                "gpu_seconds": round(row.gpu_seconds, 1),
            }
            for row, shoot in participations
        ],
        "invitations": [
            {
                "sent_at": _at(row.sent_at),
                "expires_at": _at(row.expires_at),
                "accepted_at": _at(row.accepted_at),
                "revoked_at": _at(row.revoked_at),
                "reminder": row.reminder,
            }
            for row in session.scalars(select(Invite).where(Invite.member_id == own).order_by(Invite.id))
        ],
        "mails": [
            {
                "about": row.kind,
                "sent_at": _at(row.sent_at),
                "came_back_at": _at(row.bounced_at),
                "came_back_because": row.status,
            }
            for row in session.scalars(
                select(Delivery).where(Delivery.member_id == own).order_by(Delivery.id)
            )
        ],
        "consents": [
            {
                "purpose": row.purpose,
                "granted": row.granted,
                "at": _at(row.created_at),
                "withdrawn_at": _at(row.withdrawn_at),
                "regime": row.regime,
                "language": row.language,
                "text_version": row.text_version,
                "text_sha256": row.text_sha256,
                "notice_sha256": row.notice_sha256,
                "signed": asdict(signed) if (signed := consent.signature_of(row)) else None,
            }
            for row in session.scalars(select(Consent).where(Consent.member_id == own).order_by(Consent.id))
        ],
        "photos": [
            {
                "id": str(row.id),
                "file": names.get(row.artifact_id),
                "uploaded_at": _at(row.created_at),
                "put_in_by_the_company": row.put_in_by is not None,
                "checked_at": _at(row.checked_at),
                "removed_at": _at(row.removed_at),
                "verdict": held.own_face_only(row.verdict, row.subject, biometrics=biometrics),
                "my_face_at": row.subject,
                "i_said_it_is_me_at": _at(row.confirmed_at),
                "likeness_file": names.get(row.likeness_id) if row.likeness_id else None,
            }
            for row in session.scalars(select(Photo).where(Photo.member_id == own).order_by(Photo.id))
        ],
        "models": [
            {
                "id": str(row.id),
                "trained_at": _at(row.created_at),
                "erased_at": _at(artifact.destroyed_at or artifact.delete_requested_at),
                "bytes": artifact.size,
                "file": None,  # it never leaves the platform
                "base": row.base,
                "revision": row.revision,
                "rank": row.rank,
                "steps": row.steps,
                "seed": str(row.seed),  # as text: JSON readers round numbers beyond 2^53
                "learned_from": row.photos,
                "curve": row.curve,
                "seconds": row.seconds,
            }
            for row, artifact in session.execute(
                select(Adapter, Artifact)
                .join(Artifact, Artifact.id == Adapter.artifact_id)
                .where(Adapter.member_id == own)
                .order_by(Adapter.id)
            )
        ],
        "headshots": [
            {
                "id": str(row.id),
                "file": names.get(row.artifact_id) if row.artifact_id else None,
                "made_at": _at(row.created_at),
                "made_from": str(row.photo_id),
                "seconds": row.seconds,
                "engine": row.engine,
                "model": str(row.adapter_id) if row.adapter_id else None,
                "seed": str(row.seed) if row.seed is not None else None,
                "watermark": marks.written(row.mark) if row.mark is not None else None,
                "gates": row.gates,
                "withheld": row.withheld_code,
                "what_i_said_is_wrong": row.rejected_code,
                "i_said_so_at": _at(row.rejected_at),
                "company_asked_for_another_because": row.returned_code,
                "company_asked_at": _at(row.returned_at),
                "company_reviewed_at": _at(row.reviewed_at),
            }
            for row in session.scalars(
                select(Headshot).where(Headshot.member_id == own).order_by(Headshot.id)
            )
        ],
        "events": [
            {"at": _at(row.created_at), "what": row.tag, "by_me": row.actor_id == own, "facts": row.facts}
            for row in session.scalars(
                select(AuditEvent).where(AuditEvent.subject_id == own).order_by(AuditEvent.id)
            )
        ],
    }


def contents(org_id: UUID, wanted: Plan) -> Iterator[tuple[str, bytes]]:
    """Yield each file by name, one in memory at a time, and no connection held between them.

    What we made says so, in IPTC's fields and signed, as every delivered picture does. A file that is deleted while
    the others are read is left out. The report comes last: it lists each file that was sent with its hash.

    Raises:
        NotSigned: the origin of one could not be signed.
    """
    sent = list[Sent]()
    for name, content in _files(org_id, wanted):
        sent.append(Sent(name, len(content), hashlib.sha256(content).hexdigest()))
        yield name, content
    report = making.finished(wanted.report, sent, wanted.regime)
    yield page.JSON_NAME, report.content()
    yield "report.pdf", page.pdf(report)


def _files(org_id: UUID, wanted: Plan) -> Iterator[tuple[str, bytes]]:
    yield "data.json", wanted.records
    for file in wanted.files:
        try:
            with transaction(org_id) as session:
                kept = vault().find(session, file.artifact_id)
            content = vault().open(kept)
        except (ArtifactGone, KeyErased):
            continue
        yield (
            file.name,
            content if file.making is None else _signed(content, file.making, file.mark, wanted.company),
        )


def _signed(content: bytes, making: Making, mark: int | None, company: str) -> bytes:
    media_type = media_type_of(content)
    if mark is not None:
        content = _marked(content, mark)
        making = making.with_watermark()
    if media_type == "image/png" and making.source_type:
        caption = Caption(creator=company, credit=company)
        content = into_png(content, xmp(caption, making.source_type))
    return content if media_type is None else sign(content, media_type, making, signer())


def _marked(master: bytes, mark: int) -> bytes:
    # Only where a picture is marked: they bring a hundred megabytes of libraries along.
    import numpy as np
    from PIL import Image

    from compliance.origin import watermark

    with Image.open(io.BytesIO(master), formats=("PNG",)) as image:
        profile, pixels = image.info.get("icc_profile"), np.asarray(image.convert("RGB"))
    written = io.BytesIO()
    Image.fromarray(watermark.put(pixels, mark)).save(written, "PNG", icc_profile=profile, compress_level=1)
    return written.getvalue()

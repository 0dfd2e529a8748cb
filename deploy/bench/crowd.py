"""Companies and people of a benchmark: consent given, a photo uploaded, the studio asked."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete

from compliance import consent
from core import audit
from core.clock import now
from core.consent import Purpose
from core.db import transaction
from core.ids import new_id
from core.models import Consent, Member, Outbox, Participation, Shoot, State, Style
from core.people import members, organizations
from core.portraits import photos, submission, verdicts
from core.style.spec import StyleSpec

AGREED = (Purpose.PHOTO, Purpose.LIKENESS)


def company(name: str) -> UUID:
    """Make a company without anybody in it."""
    return organizations.create(name, name.title())


def shoot_of(org_id: UUID) -> UUID:
    """Add a shoot that ends in two weeks; return its id."""
    with transaction(org_id) as session:
        style = Style(
            id=new_id(), org_id=org_id, name=str(new_id()), spec=StyleSpec().model_dump(mode="json")
        )
        session.add(style)
        session.flush()
        shoot = Shoot(
            id=new_id(), org_id=org_id, name="Bench", style_id=style.id, deadline=now() + timedelta(days=14)
        )
        session.add(shoot)
    return shoot.id


def people(org_id: UUID, shoot_id: UUID, count: int) -> list[Participation]:
    """Add people who have agreed and have sent nothing yet."""
    with transaction(org_id) as session:
        added = members.add(
            session,
            [
                members.NewMember(
                    email=f"{new_id()}@northwind.example", first_name="Bench", last_name="Person"
                )
                for _ in range(count)
            ],
            actor=audit.SYSTEM,
            tag=audit.Tag.MEMBER_IMPORTED,
        )
        rows = [_agreed(org_id, shoot_id, member) for member in added]
        session.add_all(rows)
        session.flush()
        session.add_all(
            Consent(
                id=new_id(),
                org_id=org_id,
                member_id=row.member_id,
                participation_id=row.id,
                purpose=purpose,
                granted=True,
                regime="gdpr",
                language="en",
                text_version="bench",
                text_sha256="0" * 64,
            )
            for row in rows
            for purpose in AGREED
        )
    return rows


def _agreed(org_id: UUID, shoot_id: UUID, member: Member) -> Participation:
    return Participation(
        id=new_id(),
        org_id=org_id,
        shoot_id=shoot_id,
        member_id=member.id,
        state=State.CONSENTED,
        changed_at=now(),
    )


def upload(person: Participation, content: bytes) -> UUID:
    """Send a photo as its page does; the workers owe its check. Return the photo's id."""
    sealed = photos.seal(person.org_id, person.member_id, content, "image/jpeg")
    with transaction(person.org_id) as session:
        return photos.store(
            session,
            session.get_one(Participation, person.id),
            sealed,
            upload_key=str(new_id()),
            consent=consent.require(session, person.member_id),
        ).photo.id


def submit(person: Participation, content: bytes) -> None:
    """Send a photo that was checked long ago, and ask the studio for the headshot."""
    sealed, stripped = (photos.seal(person.org_id, person.member_id, content, "image/jpeg") for _ in range(2))
    with transaction(person.org_id) as session:
        row = session.get_one(Participation, person.id)
        photo = photos.store(
            session,
            row,
            sealed,
            upload_key=str(new_id()),
            consent=consent.require(session, person.member_id),
        ).photo
        session.execute(delete(Outbox).where(Outbox.subject_id == photo.id))
        verdicts.record_verdict(session, photo, {"accepted": True}, stripped=stripped)
        submission.submit(session, row, actor=audit.actor_for(session.get_one(Member, person.member_id)))

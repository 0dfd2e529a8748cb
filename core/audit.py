"""The only writer of audit events.

An event joins the transaction of the change that it tells of. Its leaf is canonical JSON (RFC 8785)
without personal data; `compliance.log` adds it to the organization's Merkle tree within seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import rfc8785
from sqlalchemy.orm import Session

from core.clock import now, rfc3339
from core.db import organization_of
from core.ids import new_id
from core.models import AuditEvent, Member

Fact = str | int | bool | None


class Tag(StrEnum):
    """Everything that can be told; a new kind of change adds its tag here."""

    ORGANIZATION_CREATED = "organization.created"
    BRAND_CHANGED = "organization.brand_changed"
    CONNECTION_CHANGED = "organization.connection_changed"
    RETENTION_CHANGED = "organization.retention_changed"
    REGIME_CHANGED = "organization.regime_changed"
    ORGANIZATION_CLOSED = "organization.closed"
    MEMBER_PROVISIONED = "member.provisioned"
    MEMBER_IMPORTED = "member.imported"
    MEMBER_JOINED = "member.joined"
    MEMBER_FACTS_CHANGED = "member.facts_changed"
    MEMBER_ROLE_CHANGED = "member.role_changed"
    MEMBER_ROLE_KEPT = "member.role_kept"
    MEMBER_DISABLED = "member.disabled"
    MEMBER_ACCESS_LIMITED = "member.access_limited"
    MEMBER_ENABLED = "member.enabled"
    MEMBER_PLACE_SAID = "member.place_said"
    SIGNED_IN = "session.signed_in"
    SIGNED_OUT = "session.signed_out"
    DEVICE_UNDELIVERED = "session.device_undelivered"
    STYLE_SAVED = "style.saved"
    STYLE_DELETED = "style.deleted"
    STYLE_RIGHTS_CONFIRMED = "style.rights_confirmed"
    STYLE_TRAINED = "style.trained"
    STYLE_LOOK_REMOVED = "style.look_removed"
    RENEWAL_CHANGED = "organization.renewal_changed"
    SHOOT_CREATED = "shoot.created"
    SHOOT_DEADLINE_MOVED = "shoot.deadline_moved"
    SHOOT_CHANGED = "shoot.changed"
    SHOOT_REMINDERS_CHANGED = "shoot.reminders_changed"
    SHOOT_CLOSED = "shoot.closed"
    SHOOT_REOPENED = "shoot.reopened"
    SHOOT_DOWNLOADED = "shoot.downloaded"
    SHOOT_REVIEW_CHANGED = "shoot.review_changed"
    SHOOT_LISTED = "shoot.listed"
    ROSTER_IMPORTED = "roster.imported"
    ROSTER_FOLLOWED = "roster.followed"
    OPEN_LINK_CREATED = "open_link.created"
    OPEN_LINK_REVOKED = "open_link.revoked"
    OPEN_LINK_JOINED = "open_link.joined"
    INVITE_CREATED = "invite.created"
    INVITE_SENT = "invite.sent"
    INVITE_UNDELIVERED = "invite.undelivered"
    INVITE_ACCEPTED = "invite.accepted"
    INVITE_RENEWED = "invite.renewed"
    INVITE_REVOKED = "invite.revoked"
    MAIL_TEXT_CHANGED = "mail.text_changed"
    MAIL_SENDER_CHANGED = "mail.sender_changed"
    MAIL_BOUNCED = "mail.bounced"
    REMINDERS_ENDED = "reminders.ended"
    REMINDERS_RESUMED = "reminders.resumed"
    DATA_LINK_SENT = "data_link.sent"
    DATA_LINK_UNDELIVERED = "data_link.undelivered"
    CONSENT_GIVEN = "consent.given"
    CONSENT_REFUSED = "consent.refused"
    CONSENT_WITHDRAWN = "consent.withdrawn"
    PARTICIPATION_MOVED = "participation.moved"
    PARTICIPATION_TRANSFERRED = "participation.transferred"
    COMPANY_PHOTOS_ALLOWED = "company_photos.allowed"
    COMPANY_PHOTOS_ENDED = "company_photos.ended"
    PHOTO_UPLOADED = "photo.uploaded"
    PHOTO_CHECKED = "photo.checked"
    PHOTO_SUBJECT_CHOSEN = "photo.subject_chosen"
    PHOTO_CONFIRMED = "photo.confirmed"
    PHOTO_REMOVED = "photo.removed"
    READY_UNDELIVERED = "ready.undelivered"
    HEADSHOTS_RENDERED = "headshots.rendered"
    ADAPTER_TRAINED = "adapter.trained"
    ADAPTER_ERASED = "adapter.erased"
    ENGINE_FELL_BACK = "engine.fell_back"
    HEADSHOT_APPROVED = "headshot.approved"
    HEADSHOT_REJECTED = "headshot.rejected"
    HEADSHOT_DOWNLOADED = "headshot.downloaded"
    HEADSHOT_SEEN = "headshot.seen"
    HEADSHOT_REVIEWED = "headshot.reviewed"
    HEADSHOT_RETURNED = "headshot.returned"
    AGAIN_UNDELIVERED = "again.undelivered"
    HEADSHOT_REMOVED = "headshot.removed"
    EXPORT_DOWNLOADED = "export.downloaded"
    ERASURE_REQUESTED = "erasure.requested"
    ERASURE_EXECUTED = "erasure.executed"
    ERASURE_COMPLETED = "erasure.completed"
    ERASURE_TOLD = "erasure.told"
    ERASURE_UNTOLD = "erasure.untold"
    CERTIFICATE_ISSUED = "certificate.issued"
    LOG_GAP_FOUND = "log.gap_found"
    LOG_DIFFERS = "log.differs"
    CHECKPOINT_MAIL_CHANGED = "organization.checkpoint_mail_changed"
    ENTITY_CHANGED = "organization.entity_changed"
    LABEL_CHANGED = "organization.label_changed"
    HEADSHOT_HANDED = "headshot.handed"
    RECALL_ASKED = "recall.asked"
    RECALL_CONFIRMED = "recall.confirmed"
    RECALL_ENDED = "recall.ended"
    STATEMENT_ISSUED = "statement.issued"
    REPORT_ISSUED = "report.issued"
    KEYRING_ATTESTED = "keyring.attested"
    REQUEST_RECEIVED = "request.received"
    REQUEST_MOVED = "request.moved"
    REQUEST_NOTED = "request.noted"
    PLACE_CHANGED = "organization.place_changed"
    PRIVACY_CHANGED = "organization.privacy_changed"
    BREACH_RECORDED = "breach.recorded"
    BREACH_CHANGED = "breach.changed"
    BREACH_DECIDED = "breach.decided"
    BREACH_TOLD = "breach.told"
    BREACH_CLOSED = "breach.closed"
    CONTROLLER_CHANGED = "organization.controller_changed"


# Of the company, and of no person in particular.
ABOUT_NOBODY = frozenset(
    {
        Tag.ORGANIZATION_CREATED,
        Tag.BRAND_CHANGED,
        Tag.CONNECTION_CHANGED,
        Tag.RETENTION_CHANGED,
        Tag.REGIME_CHANGED,
        Tag.ORGANIZATION_CLOSED,
        Tag.STYLE_SAVED,
        Tag.STYLE_DELETED,
        Tag.STYLE_RIGHTS_CONFIRMED,
        Tag.STYLE_TRAINED,
        Tag.STYLE_LOOK_REMOVED,
        Tag.RENEWAL_CHANGED,
        Tag.SHOOT_CREATED,
        Tag.SHOOT_DEADLINE_MOVED,
        Tag.SHOOT_CHANGED,
        Tag.SHOOT_REMINDERS_CHANGED,
        Tag.MAIL_TEXT_CHANGED,
        Tag.MAIL_SENDER_CHANGED,
        Tag.SHOOT_CLOSED,
        Tag.SHOOT_REOPENED,
        Tag.SHOOT_DOWNLOADED,
        Tag.SHOOT_REVIEW_CHANGED,
        Tag.SHOOT_LISTED,
        Tag.OPEN_LINK_CREATED,
        Tag.OPEN_LINK_REVOKED,
        Tag.ROSTER_IMPORTED,
        Tag.ROSTER_FOLLOWED,
        Tag.LOG_GAP_FOUND,
        Tag.LOG_DIFFERS,
        Tag.CHECKPOINT_MAIL_CHANGED,
        Tag.ENTITY_CHANGED,
        Tag.LABEL_CHANGED,
        Tag.STATEMENT_ISSUED,
        Tag.REPORT_ISSUED,
        Tag.PLACE_CHANGED,
        Tag.PRIVACY_CHANGED,
        Tag.BREACH_RECORDED,
        Tag.BREACH_CHANGED,
        Tag.BREACH_DECIDED,
        Tag.BREACH_TOLD,
        Tag.BREACH_CLOSED,
        Tag.CONTROLLER_CHANGED,
        Tag.KEYRING_ATTESTED,
    }
)
# About a person, who may be nobody that the company knows.
PERHAPS_UNKNOWN = frozenset({Tag.REQUEST_RECEIVED, Tag.REQUEST_MOVED, Tag.REQUEST_NOTED})


@dataclass(frozen=True)
class Actor:
    """Who did it: a member, known in the log by pseudonym only, or the system."""

    member_id: UUID | None
    pseudonym: str


SYSTEM = Actor(member_id=None, pseudonym="system")


def actor_for(member: Member) -> Actor:
    """Return `member` as the one who acts."""
    return Actor(member_id=member.id, pseudonym=member.pseudonym)


def record(
    session: Session, tag: Tag, *, actor: Actor, subject: Member | None = None, **facts: Fact
) -> AuditEvent:
    """Write one event into the caller's transaction.

    Args:
        session: bound to the organization.
        tag: what happened.
        actor: who did it.
        subject: the person whom it is about; every event has one that is not `ABOUT_NOBODY` or `PERHAPS_UNKNOWN`.
        **facts: opaque ids, counts, versions and hashes; never a name, an address or a file name.
    """
    assert tag in PERHAPS_UNKNOWN or (subject is None) == (tag in ABOUT_NOBODY), (
        f"{tag} is about {'a person' if subject is None else 'nobody'}"
    )
    event = AuditEvent(
        id=new_id(),
        org_id=organization_of(session),
        created_at=now(),
        tag=tag,
        actor_id=actor.member_id,
        subject_id=subject.id if subject else None,
        facts=dict(facts),
    )
    leaf: dict[str, Fact | dict[str, Fact]] = {
        "v": 1,
        "id": str(event.id),
        "org": str(event.org_id),
        "at": rfc3339(event.created_at),
        "tag": tag.value,
        "actor": actor.pseudonym,
        "subject": subject.pseudonym if subject else None,
        "facts": dict(facts),
    }
    event.leaf = rfc8785.dumps(leaf)
    session.add(event)
    return event

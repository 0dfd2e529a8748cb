"""What events of the evidence log and their facts are called on pages."""

from __future__ import annotations

import re
from typing import Any

from flask_babel import lazy_gettext as _l

from admin import privacy_words
from admin.words import ENGINES, ROLES, STATES
from core.audit import Tag
from core.formal import SIE

EVENTS: dict[Tag, Any] = {
    Tag.ORGANIZATION_CREATED: _l("Company added"),
    Tag.BRAND_CHANGED: _l("Name, colour or logo changed"),
    Tag.CONNECTION_CHANGED: _l("Connection to the identity provider changed"),
    Tag.ORGANIZATION_CLOSED: _l("Company left"),
    Tag.RETENTION_CHANGED: _l("How long something is kept changed"),
    Tag.REGIME_CHANGED: _l("Usual law of consent texts changed"),
    Tag.CHECKPOINT_MAIL_CHANGED: _l("Addresses that get checkpoints changed"),
    Tag.ENTITY_CHANGED: _l("Legal name or postal address changed"),
    Tag.LABEL_CHANGED: _l("Visible label of model-made pictures switched"),
    Tag.BREACH_RECORDED: _l("Breach written down"),
    Tag.BREACH_CHANGED: _l("Entry on a breach changed"),
    Tag.BREACH_DECIDED: _l("Decided whether to tell of a breach"),
    Tag.BREACH_TOLD: _l("Told of a breach"),
    Tag.BREACH_CLOSED: _l("Entry on a breach closed"),
    Tag.PRIVACY_CHANGED: _l("What the company states on privacy changed"),
    Tag.HEADSHOT_HANDED: _l("Copy of a person’s picture downloaded by the company"),
    Tag.RECALL_ASKED: _l("Company asked to delete its copies"),
    Tag.RECALL_CONFIRMED: _l("Company confirmed that its copies are deleted"),
    Tag.RECALL_ENDED: _l("Request to delete copies ended without an answer"),
    Tag.STATEMENT_ISSUED: _l("Monthly statement signed"),
    Tag.REPORT_ISSUED: _l("Report about the company signed"),
    Tag.REQUEST_RECEIVED: _l("Request about one’s data received"),
    Tag.REQUEST_MOVED: _l("Request about one’s data: next step"),
    Tag.REQUEST_NOTED: _l("Request about one’s data: noted"),
    Tag.CONTROLLER_CHANGED: _l("Program that sends requests allowed or removed"),
    Tag.PLACE_CHANGED: _l("Country or time zone of the company changed"),
    Tag.MEMBER_PROVISIONED: _l("Person added by their first sign-in"),
    Tag.MEMBER_IMPORTED: _l("Person added from a list or by hand"),
    Tag.MEMBER_JOINED: _l("Person added by themselves at an open link"),
    Tag.MEMBER_FACTS_CHANGED: _l("What is known of the person changed"),
    Tag.MEMBER_ROLE_CHANGED: _l("Role changed"),
    Tag.MEMBER_ROLE_KEPT: _l("Role of the last admin kept"),
    Tag.MEMBER_DISABLED: _l("Access switched off"),
    Tag.MEMBER_ACCESS_LIMITED: _l("Last day in the company’s pages set or taken away"),
    Tag.MEMBER_ENABLED: _l("Access switched on again"),
    Tag.MEMBER_PLACE_SAID: _l("Where the person works said"),
    Tag.SIGNED_IN: _l("Signed in"),
    Tag.SIGNED_OUT: _l("Signed out"),
    Tag.DEVICE_UNDELIVERED: _l("Mail about a new device not delivered"),
    Tag.STYLE_SAVED: _l("Style saved"),
    Tag.STYLE_DELETED: _l("Style deleted"),
    Tag.STYLE_RIGHTS_CONFIRMED: _l("Rights to example pictures confirmed"),
    Tag.STYLE_TRAINED: _l("Style learned by an image model"),
    Tag.STYLE_LOOK_REMOVED: _l("Example pictures of a style removed"),
    Tag.RENEWAL_CHANGED: _l("Rule for new photos changed"),
    Tag.SHOOT_CREATED: _l("Shoot begun"),
    Tag.SHOOT_DEADLINE_MOVED: _l("Deadline of a shoot moved"),
    Tag.SHOOT_CHANGED: _l("Shoot changed"),
    Tag.SHOOT_REOPENED: _l("Shoot opened again"),
    Tag.MAIL_BOUNCED: _l("Mail reached nobody"),
    Tag.MAIL_TEXT_CHANGED: _l("Words of a mail changed"),
    Tag.MAIL_SENDER_CHANGED: _l("Sender of mails changed"),
    Tag.SHOOT_REMINDERS_CHANGED: _l("Days of a shoot’s reminders changed"),
    Tag.SHOOT_CLOSED: _l("Shoot closed"),
    Tag.SHOOT_DOWNLOADED: _l("Shoot downloaded by the company"),
    Tag.SHOOT_LISTED: _l("List of a shoot’s people downloaded"),
    Tag.SHOOT_REVIEW_CHANGED: _l("Whether a shoot is reviewed changed"),
    Tag.ROSTER_IMPORTED: _l("List of people imported"),
    Tag.ROSTER_FOLLOWED: _l("List of everybody followed"),
    Tag.OPEN_LINK_CREATED: _l("Open link made"),
    Tag.OPEN_LINK_REVOKED: _l("Open link withdrawn"),
    Tag.OPEN_LINK_JOINED: _l("Joined by an open link"),
    Tag.INVITE_CREATED: _l("Invited"),
    Tag.INVITE_SENT: _l("Invitation sent"),
    Tag.INVITE_UNDELIVERED: _l("Invitation not delivered"),
    Tag.INVITE_ACCEPTED: _l("Invitation accepted"),
    Tag.INVITE_RENEWED: _l("Link renewed"),
    Tag.INVITE_REVOKED: _l("Link withdrawn"),
    Tag.REMINDERS_ENDED: _l("Reminders ended"),
    Tag.REMINDERS_RESUMED: _l("Reminders allowed again"),
    Tag.DATA_LINK_SENT: _l("Link to one’s own data sent"),
    Tag.DATA_LINK_UNDELIVERED: _l("Link to one’s own data not delivered"),
    Tag.CONSENT_GIVEN: _l("Consent given"),
    Tag.CONSENT_REFUSED: _l("Consent refused"),
    Tag.CONSENT_WITHDRAWN: _l("Consent taken back"),
    Tag.PARTICIPATION_MOVED: _l("Step of a shoot reached"),
    Tag.PARTICIPATION_TRANSFERRED: _l("Moved to another shoot"),
    Tag.COMPANY_PHOTOS_ALLOWED: _l("Company allowed to put photos in"),
    Tag.COMPANY_PHOTOS_ENDED: _l("Company’s leave to put photos in taken back"),
    Tag.PHOTO_UPLOADED: _l("Photo sent"),
    Tag.PHOTO_CHECKED: _l("Photo checked"),
    Tag.PHOTO_SUBJECT_CHOSEN: _l("Own face chosen on a photo"),
    Tag.PHOTO_CONFIRMED: _l("Doubted photo confirmed"),
    Tag.PHOTO_REMOVED: _l("Photo removed"),
    Tag.READY_UNDELIVERED: _l("Mail that headshots are ready not delivered"),
    Tag.AGAIN_UNDELIVERED: _l("Mail that asks for another headshot not delivered"),
    Tag.HEADSHOTS_RENDERED: _l("Headshots made"),
    Tag.ADAPTER_TRAINED: _l("Image model of a person trained"),
    Tag.ADAPTER_ERASED: _l("Image model of a person destroyed"),
    Tag.ENGINE_FELL_BACK: _l("Studio took over from the image model"),
    Tag.HEADSHOT_APPROVED: _l("Headshot approved"),
    Tag.HEADSHOT_REJECTED: _l("Headshot said to be not good"),
    Tag.HEADSHOT_DOWNLOADED: _l("Headshot downloaded by its person"),
    Tag.HEADSHOT_SEEN: _l("Headshot looked at closely by the company"),
    Tag.HEADSHOT_REVIEWED: _l("Headshot approved for delivery by the company"),
    Tag.HEADSHOT_RETURNED: _l("Another headshot asked for by the company"),
    Tag.HEADSHOT_REMOVED: _l("Headshot deleted, its time was over"),
    Tag.EXPORT_DOWNLOADED: _l("Own data taken along"),
    Tag.ERASURE_REQUESTED: _l("Erasure begun: nothing can be read any more"),
    Tag.ERASURE_EXECUTED: _l("Erasure carried out and looked at again"),
    Tag.ERASURE_COMPLETED: _l("Erasure complete: no backup opens"),
    Tag.ERASURE_TOLD: _l("Person told that they were erased"),
    Tag.ERASURE_UNTOLD: _l("Person could not be told that they were erased"),
    Tag.CERTIFICATE_ISSUED: _l("Deletion certificate signed"),
    Tag.LOG_GAP_FOUND: _l("Entries lost by a restored backup"),
    Tag.KEYRING_ATTESTED: _l("Operator attested that no backup holds the keys"),
    Tag.LOG_DIFFERS: _l("Database is not what was signed"),
}

FACTS: dict[str, Any] = {
    "accepted": _l("accepted"),
    "after": _l("after"),
    "before": _l("before"),
    "certificate_status": _l("status"),
    "breach": _l("breach"),
    "certificates": _l("certificates"),
    "changed": _l("changed"),
    "code": _l("reason"),
    "count": _l("number"),
    "days": _l("days"),
    "deadline": _l("deadline"),
    "decision": _l("decision"),
    "engine": _l("way"),
    "epoch": _l("key of day"),
    "first_lost": _l("first entry"),
    "hours": _l("hours"),
    "invited": _l("invited"),
    "language": _l("language"),
    "last_lost": _l("last entry"),
    "linked": _l("linked"),
    "method": _l("how"),
    "objects": _l("files"),
    "passed": _l("passed"),
    "people": _l("people"),
    "photos": _l("photos"),
    "pictures": _l("pictures"),
    "position": _l("place"),
    "purpose": _l("purpose"),
    "reason": _l("reason"),
    "rejected": _l("not imported"),
    "role": _l("role"),
    "rows": _l("rows"),
    "skipped": _l("left out"),
    "status": _l("status"),
    "steps": _l("steps"),
    "text_version": _l("version of the words"),
    "unfinished": _l("unfinished"),
    "version": _l("version"),
    "what": _l("what"),
    "whom": _l("whom"),
    "withheld": _l("withheld"),
}
PURPOSES: dict[str, Any] = {
    "photo": _l("photos and headshots"),
    "likeness": _l("comparing faces"),
    "adapter": _l("image model"),
}
_VALUES: dict[str, Any] = {
    **{state.value: word.label for state, word in STATES.items()},
    **{role.value: word for role, word in ROLES.items()},
    **{engine.value: word.label for engine, word in ENGINES.items()},
    **PURPOSES,
    SIE: _l("de, with “Sie”"),
    "PENDING": _l("pending"),
    "COMPLETE": _l("complete"),
    "REPORT": _l("report"),
    "saml": _l("company sign-in"),
    "invite": _l("link in the invitation"),
    "self_service": _l("by themselves"),
    "authority": _l("the authority"),
    "people": _l("people concerned"),
    "yes": _l("yes"),
    "no": _l("no"),
}
# What a change was of, as `changed` lists it.
_PARTS: dict[str, Any] = {
    **privacy_words.NAMES,
    "email": _l("Email address"),
    "first_name": _l("First name"),
    "last_name": _l("Last name"),
    "employee_id": _l("Employee ID"),
    "department": _l("Department"),
    "place": _l("Place of work"),
    "language": _l("Language"),
    "name": _l("Name"),
    "style": _l("Style"),
    "file_name": _l("File names"),
    "sender_name": _l("Sender’s name"),
    "reply_to": _l("Answers go to"),
    "formal_german": _l("German says “Sie”"),
    "quiet_from": _l("No mails from (hour)"),
    "quiet_until": _l("No mails until (hour)"),
    "idp_entity_id": _l("Name of the identity provider"),
    "idp_certificates": _l("Certificates of the identity provider"),
    "idp_sso_url": _l("Address of the sign-in"),
    "attributes": _l("Names of the attributes"),
    "admin_groups": _l("Groups of admins"),
    "auditor_groups": _l("Groups of auditors"),
    "allow_unsolicited": _l("Sign-in begun at the identity provider"),
}
_OPAQUE = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32,}")


def name_of(tag: str) -> Any:
    """Return what an event is called; one of a newer release by its tag."""
    known: dict[str, Any] = {one.value: name for one, name in EVENTS.items()}
    return known.get(tag, tag)


def said(facts: dict[str, Any]) -> list[tuple[Any, Any]]:
    """Return an event's facts in words; ids and hashes, which say nothing to a reader, are in the exports."""
    shown = []
    for name, value in facts.items():
        if name not in FACTS or value is None or _OPAQUE.fullmatch(str(value)):
            continue
        shown.append((FACTS[name], _list(str(value)) if name == "changed" else _word(value)))
    return shown


def _word(value: Any) -> Any:
    if isinstance(value, bool):
        return _l("yes") if value else _l("no")
    return _VALUES.get(str(value), value)


def _list(parts: str) -> str:
    """Return what changed, in words; what a newer release names, by its own name."""
    return ", ".join(str(_PARTS.get(part, part)) for part in re.split(r"[,\s]+", parts) if part)

"""What comes back: the sign by which a mail is known again, and reports that it reached nobody.

A sign is a mail's id with a proof that we made it, so nobody can say of a mail which they never saw that it came back. It
stands in the mail's return path and its envelope, in letters that no mail server changes the case of to harm.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from typing import Final
from uuid import UUID

from core.settings import settings
from core.vault import derive

LARGEST_REPORT: Final = 1_000_000  # bytes; with NOTIFY and RET=HDRS they have a few thousand
_PURPOSE: Final = "return paths"
_PROOF_BYTES: Final = 9  # with an id's 16 they make 40 letters, which fit before the @ (RFC 5321 §4.5.3.1.1)
_SIGN: Final = re.compile(rb"(?<![A-Za-z2-7])[A-Za-z2-7]{40}(?![A-Za-z2-7])")
_STATUS: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
UNKNOWN_STATUS: Final = "5.0.0"  # RFC 3463 §3.1: nothing more is known


@dataclass(frozen=True)
class Report:
    """What a delivery report says.

    Attributes:
        mail_id: of which mail.
        failed: whether it is given up; a delay is not.
        status: why, as an enhanced status code.
    """

    mail_id: UUID
    failed: bool
    status: str


def token_of(mail_id: UUID) -> str:
    """Return a mail's sign."""
    return base64.b32encode(mail_id.bytes + _proof(mail_id)).decode().lower()


def address_of(mail_id: UUID) -> str | None:
    """Return a mail's return path; `None` where reports go to the sender."""
    local, _, domain = settings().bounce_address.rpartition("@")
    return f"{local}+{token_of(mail_id)}@{domain}" if local else None


def find(text: bytes) -> UUID | None:
    """Return the mail whose sign stands in `text`; `None` where none does, or those of several."""
    found = {mail_id for sign in _SIGN.findall(text) if (mail_id := _checked(sign)) is not None}
    return found.pop() if len(found) == 1 else None


def read(content: bytes, recipient: str = "") -> Report | None:
    """Return what a mail that came back reports; `None` if it is no report about a mail of ours.

    Args:
        content: the mail that came back, whole.
        recipient: the address that it came to, where the mail server says it.
    """
    mail_id = find(recipient.encode()) or find(content[:LARGEST_REPORT])
    if mail_id is None:
        return None
    try:
        message = message_from_bytes(content[:LARGEST_REPORT], policy=policy.default)
        assert isinstance(message, EmailMessage)
        for part in message.walk():
            if part.get_content_type() == "message/delivery-status":
                return _said(mail_id, part)
    except RecursionError:  # parts within parts, deeper than any mail server writes
        return None
    return None  # an answer of somebody on holiday, say


def _said(mail_id: UUID, part: Message) -> Report:
    groups = part.get_payload()
    fields = [one for one in groups if isinstance(one, Message)] if isinstance(groups, list) else []
    failed = [one for one in fields if str(one.get("Action", "")).strip().lower() == "failed"]
    said = next((str(one.get("Status", "")) for one in failed), "")
    status = _STATUS.search(said)
    return Report(mail_id, bool(failed), status.group() if status else UNKNOWN_STATUS)


def _checked(sign: bytes) -> UUID | None:
    content = base64.b32decode(sign.upper())
    mail_id, proof = UUID(bytes=content[:16]), content[16:]
    return mail_id if hmac.compare_digest(proof, _proof(mail_id)) else None


def _proof(mail_id: UUID) -> bytes:
    return hmac.new(derive(_PURPOSE), mail_id.bytes, hashlib.sha256).digest()[:_PROOF_BYTES]

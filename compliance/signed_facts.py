"""Reading facts that were signed as a note, offline: retention reports, and the end of a company."""

from __future__ import annotations

import json
from typing import Any, Final

from compliance.log.note import Note, NoteError

RETENTION: Final = "headshots.retention/1"  # `compliance.retention_report`
CLOSING: Final = "headshots.closing/1"  # `compliance.closing`


def format_of(content: bytes) -> str | None:
    """Return which of these formats bytes claim to be; a checkpoint's text never begins with a brace."""
    if not content.startswith(b"{"):
        return None
    return next((one for one in (RETENTION, CLOSING) if f'"format": "{one}"'.encode() in content), None)


def read(signed: Note, wanted: str) -> dict[str, Any]:
    """Return the facts of a note whose signature was checked.

    Raises:
        NoteError: it says something else, or the key of another company's log signed it.
    """
    try:
        body = json.loads(signed.text)
        company, kind = body["organization"]["id"], body["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise NoteError("not signed facts of ours") from error
    if kind != wanted:
        raise NoteError("not signed facts of a known version")
    if not any(signer.name.endswith(f"/log/{company}") for signer in signed.signers):
        raise NoteError("the key of another company signed these facts")
    facts: dict[str, Any] = body
    return facts


def overdue(facts: dict[str, Any]) -> int:
    """Return how much of a retention report's should have ended."""
    return sum(int(line["overdue"]) for line in facts["categories"])

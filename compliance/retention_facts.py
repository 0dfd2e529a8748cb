"""Reading a signed retention report offline; `compliance.retention_report` makes them."""

from __future__ import annotations

import json
from typing import Any, Final

from compliance.log.note import Note, NoteError

FORMAT: Final = "headshots.retention/1"


def is_one(content: bytes) -> bool:
    """Whether bytes may be such a note."""
    return content.startswith(b"{") and FORMAT.encode() in content


def read(signed: Note) -> dict[str, Any]:
    """Return the facts of a note whose signature was checked.

    Raises:
        NoteError: it says something else, or the key of another company's log signed it.
    """
    try:
        body = json.loads(signed.text)
        company, kind = body["organization"]["id"], body["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise NoteError("not a retention report") from error
    if kind != FORMAT:
        raise NoteError("not a retention report of a known version")
    if not any(signer.name.endswith(f"/log/{company}") for signer in signed.signers):
        raise NoteError("the key of another company signed this retention report")
    facts: dict[str, Any] = body
    return facts


def overdue(facts: dict[str, Any]) -> int:
    """Return how much of a report's should have ended."""
    return sum(int(line["overdue"]) for line in facts["categories"])

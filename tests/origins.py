"""Content credentials as the standard's own reader finds them, without any code of ours."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any

import c2pa

OFFLINE = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": False}}


@dataclass(frozen=True)
class Read:
    """What a file says of itself.

    Attributes:
        state: `Valid` where nothing was changed; whom to trust is another question.
        whole: everything that the reader found, as text.
        active: the newest manifest.
    """

    state: str
    whole: str
    active: dict[str, Any]

    @property
    def actions(self) -> list[dict[str, Any]]:
        [found] = [one for one in self.active["assertions"] if one["label"].startswith("c2pa.actions")]
        return list(found["data"]["actions"])


def read(content: bytes, media_type: str) -> Read | None:
    """Return a file's credentials; `None` where it has none."""
    reader = c2pa.Reader.try_create(media_type, io.BytesIO(content), context=c2pa.Context.from_dict(OFFLINE))
    if reader is None:
        return None
    with reader:
        whole = json.loads(reader.json())
        return Read(
            str(reader.get_validation_state()),
            reader.detailed_json() + reader.json(),
            whole["manifests"][whole["active_manifest"]],
        )


def state(content: bytes, media_type: str) -> str:
    """Return what the reader says of a file: `Valid`, `Invalid`, `none`, or `unreadable`."""
    try:
        found = read(content, media_type)
    except c2pa.C2paError:
        return "unreadable"
    return "none" if found is None else found.state

"""Identifiers: UUID version 7, so that primary keys grow with time and index well (RFC 9562 §5.7)."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from uuid import UUID


def new_id() -> UUID:
    """Return a new UUIDv7: 48 bits of Unix milliseconds, 74 random bits.

    Not a secret: use `secrets.token_bytes` for anything that grants access.
    """
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10))
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return UUID(int=value)


def first_of(at: datetime) -> UUID:
    """Return the lowest identifier that `new_id` can make at `at` or later."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


def made_at(identifier: UUID) -> datetime | None:
    """Return when `new_id` made it, by the clock of whoever did; `None` for an identifier of another kind."""
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, UTC) if identifier.version == 7 else None

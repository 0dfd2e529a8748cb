"""Base64 and decimal numbers with one spelling only, so that no byte of a signed text can vary unseen."""

from __future__ import annotations

import base64
import binascii
import re

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


def encode(raw: bytes) -> str:
    """Return `raw` in standard base64 with padding (RFC 4648 §4)."""
    return base64.b64encode(raw).decode("ascii")


def decode(text: str) -> bytes:
    """Return the bytes of standard base64.

    Raises:
        ValueError: not base64, or not the one canonical spelling of its bytes (RFC 4648 §3.5).
    """
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise ValueError("not base64") from error
    if encode(raw) != text:
        raise ValueError("base64 in a non-canonical spelling")
    return raw


def decimal(text: str) -> int:
    """Return a non-negative decimal below 10**19 without leading zeros.

    Raises:
        ValueError: anything else.
    """
    if not _DECIMAL.fullmatch(text):
        raise ValueError("not a decimal number without leading zeros")
    return int(text)

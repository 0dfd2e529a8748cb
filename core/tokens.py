"""Bytes as text in addresses, in one spelling: limits count by that text, so nothing may be written two ways."""

from __future__ import annotations

import base64
import binascii


def encode(content: bytes) -> str:
    """Return the text of `content`: Base64 for addresses (RFC 4648 §5), without padding."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def decode(text: str) -> bytes | None:
    """Return what `encode` made `text` of; `None` if it did not."""
    try:
        content = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    # Unused bits at the end would be a second spelling (RFC 4648 §3.5).
    return content if encode(content) == text else None

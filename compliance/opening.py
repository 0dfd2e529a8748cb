"""What stands for a person in their certificate: a commitment that they alone can open.

It is a keyed hash of their address, whose random key is the second half of their receipt and is kept nowhere here. So a
certificate and the log's entry beside it say nothing that stands in any backup, and whoever has the link and names the
address shows whose certificate it is.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import Final

from core import tokens
from core.people import addresses

BYTES: Final = 24
_WHAT: Final = b"headshots certificate subject\n"
_LETTERS: Final = len(tokens.encode(bytes(BYTES)))
_LINK: Final = re.compile(
    rf"/erased/([A-Za-z0-9_-]{{{_LETTERS}}})([A-Za-z0-9_-]{{{_LETTERS}}})?(?![A-Za-z0-9_-])"
)
# A mail that was saved as a file breaks long lines (RFC 2045 §6.7).
_SOFT_BREAK: Final = re.compile(r"=\r?\n")


def new() -> str:
    """Return a new opening, as it stands in a link."""
    return tokens.encode(secrets.token_bytes(BYTES))


def commitment(opening: str, address: str) -> str:
    """Return what a certificate shows of whoever has this address, in hex.

    Args:
        opening: the key, as it stands in a link.
        address: in any spelling.
    """
    said = _WHAT + addresses.canonical(address).encode()
    return hmac.new(opening.encode("ascii"), said, hashlib.sha256).hexdigest()


def split(receipt: str) -> tuple[str, str]:
    """Return both halves of a receipt: what its erasure is found by, and the opening, empty in those from before."""
    return receipt[:_LETTERS], receipt[_LETTERS:]


def found_in(text: str) -> str | None:
    """Return the opening of the one receipt whose link stands in a text, such as a saved mail or page.

    `None` where there is none with an opening, or there are several.
    """
    found = {match.group(2) for match in _LINK.finditer(_SOFT_BREAK.sub("", text))} - {None}
    return found.pop() if len(found) == 1 else None

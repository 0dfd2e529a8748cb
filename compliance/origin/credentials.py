"""Content credentials (C2PA): signed into a delivered file as the last thing that is done to it.

Everything happens in memory, and nothing is asked of a network but the time, where an authority is configured.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from compliance.origin.label import Label
from compliance.origin.making import Making
from compliance.origin.signer import Signer
from core.errors import AppError, Unavailable
from core.logs import logger

if TYPE_CHECKING:
    import c2pa

# Formats that can carry credentials; every format of a style is among them (tests/unit/compliance/origin).
CARRIERS: Final = frozenset({"image/jpeg", "image/png", "image/webp", "image/avif"})
SETTINGS: Final[dict[str, Any]] = {
    # A thumbnail would be a second picture of the person, of which nobody knows.
    "builder": {"thumbnail": {"enabled": False}},
    # Read back and checked at once, without a list of trusted signers: whom to trust is for who verifies.
    "verify": {
        "verify_after_sign": True,
        "verify_trust": False,
        "verify_timestamp_trust": False,
        "remote_manifest_fetch": False,
        "ocsp_fetch": False,
    },
}


class NotSigned(AppError):
    """A picture whose origin could not be signed; it is not delivered without."""

    code = "origin_not_signed"
    status = 500


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a picture comes from.

    Attributes:
        making: How it was made.
        signer: Who signs for that.
        mark: What its watermark says, where an image model made it; see `compliance.origin.watermark`.
        label: What its files say visibly, where an image model made it and the company wants that.
    """

    making: Making
    signer: Signer
    mark: int | None = None
    label: Label | None = None

    def signed(self, content: bytes, media_type: str, *, logo: bool = False, labelled: bool = False) -> bytes:
        """Return a finished file with its credentials; see `sign`.

        Args:
            content: The file.
            media_type: Of `CARRIERS`.
            logo: Whether a logo was put on this file.
            labelled: Whether the visible label was.
        """
        making = self.making.with_logo() if logo else self.making
        making = making.with_label() if labelled else making
        return sign(
            content, media_type, making if self.mark is None else making.with_watermark(), self.signer
        )


def sign(content: bytes, media_type: str, making: Making, signer: Signer) -> bytes:
    """Return a finished file with its credentials; any byte changed afterwards is told.

    Args:
        content: The file, with everything else in it already.
        media_type: Of `CARRIERS`.
        making: How the picture was made.
        signer: Whose signature it gets.

    Raises:
        NotSigned: the file or the signature was refused.
        Unavailable: the timestamp authority does not answer.
    """
    if media_type not in CARRIERS:
        raise NotSigned("A file of this type cannot carry content credentials.")
    library = _library()
    signed = io.BytesIO()
    # With a callback the library keeps 10 kB free for the signature instead of 1.5.
    known = library.C2paSignerInfo(
        library.C2paSigningAlg[signer.algorithm], signer.pem(), signer.key, signer.timestamp_url or None
    )
    try:
        with (
            library.Signer.from_info(known) as native,
            library.Builder(making.manifest(), context=_context()) as builder,
        ):
            builder.sign(native, media_type, io.BytesIO(content), signed)
    except library.C2paError as error:
        raise _refused(error, signer) from error
    return signed.getvalue()


def _refused(error: Exception, signer: Signer) -> AppError:
    logger().warning("origin_not_signed", exc_info=error)
    if signer.timestamp_url and ("http" in str(error) or "timestamp" in str(error)):
        return Unavailable(
            "The authority that vouches for the time of a picture's signature does not answer. Try again in a few minutes."
        )
    return NotSigned("Where this picture comes from could not be signed, so it is not handed out. Try again.")


def _library() -> Any:
    # Only where a picture is signed or read: 23 MB.
    import c2pa

    return c2pa


@cache
def _context() -> c2pa.Context:
    return _library().Context.from_json(json.dumps(SETTINGS))

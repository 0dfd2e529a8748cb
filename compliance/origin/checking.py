"""Checking where a picture comes from, with nothing but the published keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from cryptography import x509

from compliance.origin.reading import Credentials, fields, media_type_of, read
from compliance.signing import PublishedSigner

Add = Callable[[str, bool, str], None]

# Everything else is said by its code.
_WORDS: Final = {
    "assertion.dataHash.mismatch": "the picture is another one than was signed",
    "assertion.bmffHash.mismatch": "the picture is another one than was signed",
    "assertion.hashedURI.mismatch": "what is said of it is not what was signed",
    "claimSignature.mismatch": "the signature does not fit",
    "signingCredential.expired": "the signer's certificate had ended, and no authority vouches for the time",
}
_CODES: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"


def check(content: bytes, signers: Sequence[PublishedSigner], add: Add) -> str:
    """Check a picture's credentials, then what it says of itself beside them; return how it was made.

    Args:
        content: The file.
        signers: Who is known to sign, as published.
        add: Gets each check: what was looked at, whether it holds, and what was found; stops by raising.

    Returns:
        The last part of its IPTC DigitalSourceType, such as `trainedAlgorithmicMedia`; empty where it says none.
    """
    media_type = media_type_of(content)
    found = read(content, media_type, [one.anchor for one in signers]) if media_type else None
    if found is None:
        add(
            "content credentials",
            False,
            "the file carries none that can be read: nothing says where it comes from",
        )
        raise AssertionError  # pragma: no cover - `add` has raised
    add("content credentials", True, f"made by {found.generator or 'a program without a name'}")
    add("picture unchanged", not found.problems, _unchanged(found))
    known = _is_known(found, signers)
    add("signer of pictures", known, _signer(found.signer, known=known))
    add("how it was made", bool(found.actions), " ".join(words or name for name, words, _ in found.actions))
    beside = fields(content)
    add(
        "IPTC fields",
        beside.source_type in ("", found.source_type),
        _beside(beside.source_type, beside.creator, beside.credit),
    )
    return found.source_type.removeprefix(_CODES)


def _unchanged(found: Credentials) -> str:
    if not found.problems:
        return "every byte of the picture is as it was signed" + (
            f", at {found.signed_at}" if found.signed_at else ""
        )
    return "; ".join(dict.fromkeys(_WORDS.get(code, code) for code in found.problems))


def _is_known(found: Credentials, signers: Sequence[PublishedSigner]) -> bool:
    """Whether the certificate is a published one: an issuer vouches for others too, and numbers each once."""
    numbers = [x509.load_pem_x509_certificate(one.certificate.encode()).serial_number for one in signers]
    return found.is_trusted and found.serial_number in map(str, numbers)


def _signer(signer: str, *, known: bool) -> str:
    if known:
        return f"signed by {signer}, whom the published keys name"
    return f"signed by {signer}, whom the keys at hand do not name; the keys.json of whoever handed out the picture may"


def _beside(source_type: str, creator: str, credit: str) -> str:
    said = [
        f"{name} {value}"
        for name, value in (
            ("digital source type", source_type.removeprefix(_CODES)),
            ("creator", creator),
            ("credit", credit),
        )
        if value
    ]
    return ", ".join(said) or "none"

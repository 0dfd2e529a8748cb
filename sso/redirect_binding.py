"""SAML's HTTP-Redirect binding: a deflated message in a signed query string (saml-bindings-2.0 §3.4).

Our own small code rather than the toolkit's: that inflates without a limit, builds messages by string
formatting, and treats an absent signature as a valid one.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote_plus, unquote_plus, urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree
from onelogin.saml2.xml_utils import OneLogin_Saml2_XML

from sso.credentials import signing_key
from sso.errors import AlgorithmRefused, MessageMalformed, MessageTooLarge, SignatureMissing, SignatureWrong

MAX_ENCODED = 32_768  # characters of a query string; web servers refuse longer request lines anyway
MAX_MESSAGE = 65_536  # bytes after inflating; real requests are under 4 kB

RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    RSA_SHA256: hashes.SHA256(),
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384": hashes.SHA384(),
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512": hashes.SHA512(),
}

Message = Literal["SAMLRequest", "SAMLResponse"]


@dataclass(frozen=True)
class Received:
    """A message whose signature matched a trusted certificate."""

    document: etree._Element
    relay_state: str | None


def signed_url(
    address: str, message: Message, xml: bytes, key_pem: str, relay_state: str | None = None
) -> str:
    """Return `address` with `xml` and its RSA-SHA256 signature in the query."""
    deflate = zlib.compressobj(level=9, wbits=-15)
    fields: dict[str, str] = {
        message: base64.b64encode(deflate.compress(xml) + deflate.flush()).decode("ascii")
    }
    if relay_state is not None:
        fields["RelayState"] = relay_state
    fields["SigAlg"] = RSA_SHA256
    query = "&".join(f"{name}={quote_plus(value)}" for name, value in fields.items())
    signature = signing_key(key_pem).sign(query.encode("ascii"), padding.PKCS1v15(), hashes.SHA256())
    joint = "&" if urlsplit(address).query else "?"
    return f"{address}{joint}{query}&Signature={quote_plus(base64.b64encode(signature).decode('ascii'))}"


def receive(query_string: str, message: Message, certificates: Iterable[str]) -> Received:
    """Verify and read the message in a raw query string.

    Args:
        query_string: As the server got it: the signature covers the sender's own percent-encoding.
        message: Which field is expected.
        certificates: PEM; the signature must match one of them.

    Raises:
        MessageTooLarge: over `MAX_ENCODED` characters or `MAX_MESSAGE` bytes inflated.
        MessageMalformed: not a deflated XML message, a repeated field, a document type declaration.
        SignatureMissing: not signed.
        AlgorithmRefused: signed with anything but RSA and SHA-2.
        SignatureWrong: signed by someone else, or changed.
    """
    if len(query_string) > MAX_ENCODED:
        raise MessageTooLarge
    raw = _fields(query_string)
    if message not in raw:
        raise MessageMalformed
    if "Signature" not in raw or "SigAlg" not in raw:
        raise SignatureMissing
    algorithm = _HASHES.get(unquote_plus(raw["SigAlg"]))
    if algorithm is None:
        raise AlgorithmRefused
    signed = "&".join(f"{name}={raw[name]}" for name in (message, "RelayState", "SigAlg") if name in raw)
    if not _matches(_decode(raw["Signature"]), signed.encode("utf-8"), algorithm, certificates):
        raise SignatureWrong
    relay_state = unquote_plus(raw["RelayState"]) if "RelayState" in raw else None
    return Received(parse(_inflate(_decode(raw[message]))), relay_state)


def parse(xml: bytes) -> etree._Element:
    """Read `xml` with the toolkit's parser: no entities, no network, no document types, nothing huge.

    One parser for everything, so that what was checked is what was verified; it drops comments and
    processing instructions.

    Raises:
        MessageMalformed: not well-formed, or it declares a document type.
    """
    try:
        root: etree._Element = OneLogin_Saml2_XML.to_etree(xml)
    except (etree.XMLSyntaxError, ValueError) as error:  # DTDForbidden is a ValueError
        raise MessageMalformed from error
    return root


def _fields(query_string: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in query_string.split("&"):
        name, _, value = part.partition("=")
        if name in found:
            # Two values under one name: the signature would cover one and another reader take the other.
            raise MessageMalformed
        found[name] = value
    return found


def _decode(value: str) -> bytes:
    try:
        return base64.b64decode("".join(unquote_plus(value).split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise MessageMalformed from error


def _inflate(value: bytes) -> bytes:
    inflate = zlib.decompressobj(wbits=-15)
    try:
        message = inflate.decompress(value, MAX_MESSAGE)
    except zlib.error as error:
        raise MessageMalformed from error
    if not inflate.eof:
        raise MessageTooLarge if len(message) >= MAX_MESSAGE else MessageMalformed
    return message


def _matches(
    signature: bytes, signed: bytes, algorithm: hashes.HashAlgorithm, certificates: Iterable[str]
) -> bool:
    for pem in certificates:
        key = x509.load_pem_x509_certificate(pem.encode("ascii")).public_key()
        assert isinstance(key, rsa.RSAPublicKey)  # SamlConnection takes no others
        try:
            key.verify(signature, signed, padding.PKCS1v15(), algorithm)
        except InvalidSignature:
            continue
        return True
    return False

"""What a picture says of where it comes from, and whether that can be believed; offline, without decoding the picture."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from compliance.origin.credentials import SETTINGS

_NAMESPACES: Final = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "ext": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
}
_PACKET: Final = re.compile(rb"<x:xmpmeta.{1,65536}?</x:xmpmeta>", re.DOTALL)
_BRANDS: Final = (b"avif", b"avis", b"mif1", b"msf1")
# What the library says when nothing but the list of trusted signers is missing (C2PA 2.4, §15.2).
_NOT_TRUSTED: Final = "signingCredential.untrusted"


def media_type_of(content: bytes) -> str | None:
    """Return which kind of picture that can carry credentials a file is, by its first bytes."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp" and content[8:12] in _BRANDS:
        return "image/avif"
    return None


@dataclass(frozen=True)
class Credentials:
    """Content credentials, as the newest of a file's manifests has them.

    Attributes:
        problems: Codes of what does not hold (C2PA 2.4, §15.2); empty where the file is as it was signed.
        is_trusted: Whether one of the anchors vouches for the signer.
        serial_number: Of the signer's certificate.
        signer: Who signed, as the certificate says.
        signed_at: Time, where an authority vouched for one.
        generator: What made the file.
        actions: What was done: C2PA's name, words, and IPTC DigitalSourceType, each empty where not said.
    """

    problems: tuple[str, ...]
    is_trusted: bool
    serial_number: str
    signer: str
    signed_at: str
    generator: str
    actions: tuple[tuple[str, str, str], ...]

    @property
    def source_type(self) -> str:
        """IPTC DigitalSourceType of the whole: that of a model where one worked, else the first one said."""
        said = [source_type for _, _, source_type in self.actions if source_type]
        return next((one for one in said if "rainedAlgorithmic" in one), said[0] if said else "")


def read(content: bytes, media_type: str, anchors: Iterable[str]) -> Credentials | None:
    """Return a file's credentials; `None` where it has none, or none that can be read.

    Args:
        content: The file.
        media_type: As `media_type_of` says.
        anchors: PEM of what vouches for signers.
    """
    import c2pa

    vouching = "".join(anchors)
    settings = SETTINGS | {"verify": SETTINGS["verify"] | {"verify_trust": True}}
    if vouching:
        settings |= {"trust": {"user_anchors": vouching}}
    try:
        reader = c2pa.Reader.try_create(
            media_type, io.BytesIO(content), context=c2pa.Context.from_json(json.dumps(settings))
        )
        if reader is None:
            return None
        with reader:
            whole = json.loads(reader.json())
    except c2pa.C2paError:
        return None
    return _credentials(whole)


def _credentials(whole: dict[str, Any]) -> Credentials:
    active = whole["manifests"][whole["active_manifest"]]
    failures = [one["code"] for one in _results(whole, "failure")]
    signature = active.get("signature_info", {})
    named = [signature.get("common_name", ""), signature.get("issuer", "")]
    generators = active.get("claim_generator_info") or [{}]
    return Credentials(
        problems=tuple(code for code in failures if code != _NOT_TRUSTED),
        is_trusted="signingCredential.trusted" in [one["code"] for one in _results(whole, "success")],
        serial_number=str(signature.get("cert_serial_number", "")),
        signer=", ".join(name for name in named if name),
        signed_at=str(signature.get("time", "")),
        generator=f"{generators[0].get('name', '')} {generators[0].get('version', '')}".strip(),
        actions=tuple(
            (
                str(one.get("action", "")),
                str(one.get("description", "")),
                str(one.get("digitalSourceType", "")),
            )
            for assertion in active.get("assertions", [])
            if assertion["label"].startswith("c2pa.actions")
            for one in assertion["data"].get("actions", [])
        ),
    )


def _results(whole: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    results = whole.get("validation_results", {})
    found = list(results.get("activeManifest", {}).get(kind, []))
    for delta in results.get("ingredientDeltas", []):
        found += delta.get("validationDeltas", {}).get(kind, [])
    return found


@dataclass(frozen=True)
class Fields:
    """IPTC's fields of a file that say where it comes from; each empty where the file does not say."""

    source_type: str = ""
    creator: str = ""
    credit: str = ""


def fields(content: bytes) -> Fields:
    """Return a file's IPTC fields from its XMP packet, which every format stores as it is."""
    packet = _PACKET.search(content)
    if packet is None:
        return Fields()
    try:
        tree = etree.fromstring(
            packet[0], etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
        )
    except etree.XMLSyntaxError:
        return Fields()

    def said(path: str) -> str:
        return str(tree.xpath(f"string(//{path})", namespaces=_NAMESPACES)).strip()

    return Fields(said("ext:DigitalSourceType"), said("dc:creator/rdf:Seq/rdf:li"), said("photoshop:Credit"))

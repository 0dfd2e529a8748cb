"""IPTC's fields of a delivered file, as an XMP packet and in JPEG's older form."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

_LONGEST: Final = 500  # characters of a field; a JPEG's packet may have 65,502 bytes in all
# What XML 1.0 cannot hold, and half characters.
_UNWRITABLE: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Caption:
    """Text that travels in a file; an empty one is left out.

    Attributes:
        caption: What the picture shows.
        creator: Who made it.
        credit: Who is named beside it when it is published.
        alt: What a person who cannot see it is told; never a judgement.
    """

    caption: str = ""
    creator: str = ""
    credit: str = ""
    alt: str = ""

    def __post_init__(self) -> None:
        for name in self.__slots__:
            text = " ".join(_UNWRITABLE.sub("", getattr(self, name)).split())
            object.__setattr__(self, name, text[:_LONGEST])


NO_CAPTION: Final = Caption()


def xmp(caption: Caption, source_type: str) -> bytes:
    """Write the XMP packet.

    Args:
        caption: Text.
        source_type: IPTC DigitalSourceType, an address of cv.iptc.org.
    """
    fields = [
        _many("dc:description", "Alt", caption.caption),
        _many("dc:creator", "Seq", caption.creator),
        _one("photoshop:Credit", caption.credit),
        _many("Iptc4xmpCore:AltTextAccessibility", "Alt", caption.alt),
        _one("Iptc4xmpExt:DigitalSourceType", source_type),
    ]
    return _PACKET.format(fields="\n".join(field for field in fields if field)).encode()


_PACKET: Final = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
 xmlns:Iptc4xmpCore="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
{fields}
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""


def _one(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>" if text else ""


def _many(name: str, kind: str, text: str) -> str:
    language = ' xml:lang="x-default"' if kind == "Alt" else ""
    return (
        f"<{name}><rdf:{kind}><rdf:li{language}>{escape(text)}</rdf:li></rdf:{kind}></{name}>" if text else ""
    )


# IPTC-IIM 4.2: number of the data set in the second record, longest value in bytes.
_BYLINE: Final = (80, 32)
_CREDIT: Final = (110, 32)
_CAPTION: Final = (120, 2000)


def iim(caption: Caption) -> bytes:
    """Write a JPEG's APP13 segment for readers that know no XMP; empty where there is no text."""
    fields = [(_CAPTION, caption.caption), (_BYLINE, caption.creator), (_CREDIT, caption.credit)]
    if not any(text for _kind, text in fields):
        return b""
    records = b"\x1c\x01\x5a\x00\x03\x1b%G" + b"\x1c\x02\x00\x00\x02\x00\x04"  # UTF-8; record version 4
    for (number, longest), text in fields:
        if text:
            value = _shortened(text, longest)
            records += bytes((0x1C, 2, number)) + len(value).to_bytes(2, "big") + value
    block = b"8BIM\x04\x04\x00\x00" + len(records).to_bytes(4, "big") + records + b"\x00" * (len(records) % 2)
    body = b"Photoshop 3.0\x00" + block
    return b"\xff\xed" + (len(body) + 2).to_bytes(2, "big") + body


def _shortened(text: str, longest: int) -> bytes:
    """Cut to `longest` bytes of UTF-8, never within a character."""
    return text.encode()[:longest].decode(errors="ignore").encode()


_PNG_HEAD: Final = 8 + 25  # bytes: the signature, and IHDR with its length, name and checksum


def into_png(content: bytes, packet: bytes) -> bytes:
    """Return a PNG with an XMP packet (XMP part 3, §1.1.5) and every pixel as it was, none decoded.

    Args:
        content: A PNG without one.
        packet: As `xmp` returns it.
    """
    body = b"iTXt" + b"XML:com.adobe.xmp" + bytes(5) + packet
    chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    return content[:_PNG_HEAD] + chunk + content[_PNG_HEAD:]

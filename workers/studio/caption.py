"""What a delivered file says about itself: IPTC's fields, as an XMP packet and in JPEG's older form."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from core.style.spec import GradientBackdrop, ImageBackdrop, Scene, SceneBackdrop, SolidBackdrop, StyleSpec
from core.words import N_, fill

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


def caption_of(
    person: str, company: str, style: StyleSpec, say: Callable[[str], str] = lambda text: text
) -> Caption:
    """Describe a person's portrait from what the style says of it.

    Args:
        person: The name, as it may stand in the person's own file.
        company: Whose style it is; empty where there is no company.
        style: What is behind the person.
        say: Looks a text up in the reader's language.
    """
    if not person:
        return Caption(creator=company, credit=company)
    captioned = N_("Portrait of %(person)s, %(company)s") if company else N_("Portrait of %(person)s")
    return Caption(
        caption=fill(say(captioned), {"person": person, "company": company}),
        creator=company,
        credit=company,
        alt=fill(say(_behind(style)), {"person": person}),
    )


def _behind(style: StyleSpec) -> str:
    backdrop = style.backdrop
    if isinstance(backdrop, SceneBackdrop):
        return (
            N_("Portrait photo of %(person)s in an office, the room out of focus")
            if backdrop.scene is Scene.OFFICE
            else N_("Portrait photo of %(person)s outdoors, trees out of focus")
        )
    if isinstance(backdrop, ImageBackdrop):
        return N_("Portrait photo of %(person)s")
    return _AGAINST[_color_word(backdrop)]


_AGAINST: Final = {
    "white": N_("Portrait photo of %(person)s against a white backdrop"),
    "black": N_("Portrait photo of %(person)s against a black backdrop"),
    "grey": N_("Portrait photo of %(person)s against a grey backdrop"),
    "red": N_("Portrait photo of %(person)s against a red backdrop"),
    "brown": N_("Portrait photo of %(person)s against a brown backdrop"),
    "yellow": N_("Portrait photo of %(person)s against a yellow backdrop"),
    "green": N_("Portrait photo of %(person)s against a green backdrop"),
    "blue": N_("Portrait photo of %(person)s against a blue backdrop"),
    "purple": N_("Portrait photo of %(person)s against a purple backdrop"),
}
# Upper ends of the hues, degrees on the wheel of red, yellow, green, cyan, blue, magenta.
_HUES: Final = ((20, "red"), (45, "brown"), (70, "yellow"), (165, "green"), (255, "blue"), (330, "purple"))


def _color_word(backdrop: SolidBackdrop | GradientBackdrop) -> str:
    colors = [backdrop.color] if isinstance(backdrop, SolidBackdrop) else [backdrop.inner, backdrop.outer]
    red, green, blue = (
        sum(int(color[at : at + 2], 16) for color in colors) / len(colors) / 255 for at in (1, 3, 5)
    )
    high, low = max(red, green, blue), min(red, green, blue)
    if high < 0.12:
        return "black"
    if low > 0.9:
        return "white"
    if high - low < 0.18 * high:
        return "grey"
    if high == red:
        hue = 60 * (green - blue) / (high - low) % 360
    elif high == green:
        hue = 60 * (blue - red) / (high - low) + 120
    else:
        hue = 60 * (red - green) / (high - low) + 240
    return next((word for end, word in _HUES if hue < end), "red")


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

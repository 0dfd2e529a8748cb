"""Files that leave the platform: the sizes and formats of the style, sRGB, nothing of the camera's."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

from core.style import Output, OutputFormat, StyleSpec
from workers.vision.geometry import Pixels

_QUALITY: Final = {OutputFormat.JPEG: 93, OutputFormat.WEBP: 90}
_PROFILE: Final = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SUFFIX: Final = {OutputFormat.JPEG: "jpg", OutputFormat.PNG: "png", OutputFormat.WEBP: "webp"}
MEDIA_TYPE: Final = {
    OutputFormat.JPEG: "image/jpeg",
    OutputFormat.PNG: "image/png",
    OutputFormat.WEBP: "image/webp",
}

_XMP: Final = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
Iptc4xmpExt:DigitalSourceType="{source_type}"/></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""


# IPTC DigitalSourceType of what the studio engine makes: a real photo, retouched without a generative model.
RETOUCHED: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicallyEnhanced"


def cut(master: Pixels, style: StyleSpec, output: Output) -> Pixels:
    """Cut one output from the master: as much of it as fits the shape, the eyes kept on their line.

    Args:
        master: uint8, height × width × 3, sRGB.
        style: Whose crop says where the eyes are.
        output: What is wanted.
    """
    height, width = master.shape[:2]
    scale = max(output.width / width, output.height / height)
    used_width, used_height = output.width / scale, output.height / scale
    left = (width - used_width) / 2
    top = style.crop.eye_line * (height - used_height)
    return np.asarray(
        Image.fromarray(master).resize(
            (output.width, output.height),
            Image.Resampling.LANCZOS,
            box=(left, top, left + used_width, top + used_height),
        )
    )


def encode(pixels: Pixels, kind: OutputFormat, source_type: str = RETOUCHED) -> bytes:
    """Write a file in memory: sRGB profile, no EXIF.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        kind: File format.
        source_type: IPTC DigitalSourceType (an address of cv.iptc.org), stored as XMP.
    """
    image = Image.fromarray(pixels)
    xmp = _XMP.format(source_type=source_type).encode()
    buffer = io.BytesIO()
    if kind is OutputFormat.PNG:
        texts = PngImagePlugin.PngInfo()
        texts.add_itxt("XML:com.adobe.xmp", xmp.decode())
        image.save(buffer, "PNG", icc_profile=_PROFILE, pnginfo=texts)
        return buffer.getvalue()
    options: dict[str, object] = {"quality": _QUALITY[kind], "icc_profile": _PROFILE, "xmp": xmp}
    if kind is OutputFormat.JPEG:
        image.save(buffer, "JPEG", subsampling=0, optimize=True, **options)
    else:
        image.save(buffer, "WEBP", method=4, **options)
    return buffer.getvalue()


def outputs(master: Pixels, style: StyleSpec, source_type: str = RETOUCHED) -> dict[str, bytes]:
    """Make every file that the style asks for, by output name."""
    return {
        output.name: encode(cut(master, style, output), output.format, source_type)
        for output in style.outputs
    }

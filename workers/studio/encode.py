"""Files that leave the platform: the sizes and formats of the style, sRGB, nothing of the camera's."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

from compliance.origin import watermark
from compliance.origin.credentials import Origin
from compliance.origin.iptc import NO_CAPTION, Caption, iim, xmp
from compliance.origin.making import RETOUCHED
from core.style.framing import Head, Rect, head_box
from core.style.outputs import Output, OutputFormat
from core.style.spec import StyleSpec
from workers.studio.avatar import bordered, transparent
from workers.studio.label import with_label
from workers.studio.logo import with_logo
from workers.vision.geometry import Pixels

_QUALITY: Final = {OutputFormat.JPEG: 93, OutputFormat.WEBP: 90, OutputFormat.AVIF: 80}
_AVIF_SPEED: Final = 7  # 0 to 10; 6 takes twice as long for 2 % less
_PROFILE: Final = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

# Lanczos keeps edges but averages fine detail: the more a picture shrinks, the more is given back.
_SHARPEN_RADIUS: Final = 0.7  # pixels, sigma
_SHARPEN_MOST: Final = 1.4  # times the detail is added, where much was taken away
_GRAIN: Final = 2.0  # 8-bit steps of detail that are taken for grain and left alone


def in_frame(master: Pixels, style: StyleSpec) -> Pixels:
    """Return the style's frame of a master, without the room beside it for files of another shape."""
    frame = style.frame(master.shape[1], master.shape[0])
    left, top = int(frame.left), int(frame.top)
    return master[top : top + int(frame.height), left : left + int(frame.width)]


def cut(
    master: Pixels, style: StyleSpec, output: Output, *, head: Head | None = None, logo: Pixels | None = None
) -> Pixels:
    """Return one output of the master, cut as it is delivered; see `_cut`."""
    return _cut(master, style, output, head, logo).pixels


@dataclass(frozen=True, slots=True)
class _Cut:
    """One output: its pixels, where the head is in it, and where the logo, if it was put on; pixels."""

    pixels: Pixels
    head: Rect
    logo: Rect | None = None


def _cut(master: Pixels, style: StyleSpec, output: Output, head: Head | None, logo: Pixels | None) -> _Cut:
    """Cut one output from the master: crop, size, sharpening for the size, logo; see `StyleSpec.delivered`.

    Args:
        master: uint8, height × width × 3, sRGB.
        style: Whose crop says where the head is, and where a logo goes.
        output: What is wanted.
        head: Where the head is in the frame, if that differs from the style.
        logo: uint8, height × width × 4, sRGB with alpha; left out where it would lie over the head.
    """
    height, width = master.shape[:2]
    output = style.delivered(output, head, (width, height))
    part, frame = style.part(output, head, (width, height)), style.frame(width, height)
    size = (output.width, output.height)
    pixels = master
    if part != Rect(0, 0, 1, 1) or size != (width, height):
        # Pillow refuses a box that rounding puts a hair's breadth outside.
        left, top = (
            max(0.0, frame.left + part.left * frame.width),
            max(0.0, frame.top + part.top * frame.height),
        )
        right = min(float(width), frame.left + (part.left + part.width) * frame.width)
        bottom = min(float(height), frame.top + (part.top + part.height) * frame.height)
        small = Image.fromarray(master).resize(size, Image.Resampling.LANCZOS, box=(left, top, right, bottom))
        pixels = _sharpened(np.asarray(small), (right - left) / output.width)
    over = head_box(part, head or style.head, *size)
    if logo is not None and style.logo is not None and output.takes_logo:
        marked = with_logo(pixels, style.logo, output, logo, clear_of=over)
        if marked is not pixels:
            return _Cut(marked, over, style.logo.place(output, logo.shape[1] / logo.shape[0]))
    return _Cut(pixels, over)


def _sharpened(pixels: Pixels, reduction: float) -> Pixels:
    """Give back the fine detail that making the picture smaller took; brightness alone, no halos.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        reduction: Factor by which it was made smaller; at 1 or below nothing is done.
    """
    strength = _SHARPEN_MOST * (1 - 1 / reduction) if reduction > 1 else 0.0
    if strength < 0.01:
        return pixels
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    detail = grey - cv2.GaussianBlur(grey, (0, 0), _SHARPEN_RADIUS)
    detail = np.sign(detail) * np.maximum(np.abs(detail) - _GRAIN, 0)
    window = np.ones((3, 3), np.uint8)
    # Never brighter or darker than a neighbour: that is what a halo would be.
    sharp = np.clip(grey + strength * detail, cv2.erode(grey, window), cv2.dilate(grey, window))
    given_back = np.asarray(np.rint(sharp - grey), np.float32)[..., None]
    return np.asarray(np.clip(pixels + given_back, 0, 255), np.uint8)


def encode(
    pixels: Pixels,
    kind: OutputFormat,
    source_type: str = RETOUCHED,
    *,
    caption: Caption = NO_CAPTION,
    dpi: int | None = None,
) -> bytes:
    """Write a file in memory: sRGB profile, caption, no EXIF.

    Args:
        pixels: uint8, height × width × 3, sRGB, or × 4 with alpha, which a JPEG cannot hold.
        kind: File format.
        source_type: IPTC DigitalSourceType (an address of cv.iptc.org), stored as XMP.
        caption: Stored as XMP, in a JPEG also as IPTC-IIM.
        dpi: Pixels per inch, written where the format has a place for it: JPEG and PNG.
    """
    image = Image.fromarray(pixels)
    packet = xmp(caption, source_type)
    buffer = io.BytesIO()
    options: dict[str, object] = {"icc_profile": _PROFILE}
    if dpi is not None:
        options["dpi"] = (dpi, dpi)
    if kind is OutputFormat.PNG:
        texts = PngImagePlugin.PngInfo()
        texts.add_itxt("XML:com.adobe.xmp", packet.decode())
        image.save(buffer, "PNG", pnginfo=texts, **options)
        return buffer.getvalue()
    options |= {"quality": _QUALITY[kind], "xmp": packet}
    if kind is OutputFormat.JPEG:
        image.save(buffer, "JPEG", subsampling=0, optimize=True, extra=iim(caption), **options)
    elif kind is OutputFormat.WEBP:
        # What is transparent keeps its colours too: the watermark lies in all of the picture.
        image.save(buffer, "WEBP", method=4, exact=True, **options)
    else:
        image.save(buffer, "AVIF", speed=_AVIF_SPEED, subsampling="4:4:4", **options)
    return buffer.getvalue()


def deliver(
    master: Pixels,
    style: StyleSpec,
    output: Output,
    origin: Origin,
    *,
    caption: Caption = NO_CAPTION,
    head: Head | None = None,
    logo: Pixels | None = None,
) -> bytes:
    """Make one file of the style from the master, signed with where it comes from.

    Args:
        master: uint8, height × width × 3, sRGB.
        style: The company's style.
        output: What is wanted.
        origin: How the portrait was made, and who signs for it.
        caption: As for `encode`.
        head: As for `cut`.
        logo: As for `cut`.
    """
    output = style.delivered(output, head, (master.shape[1], master.shape[0]))
    made = _cut(master, style, output, head, logo)
    # A label in a corner says more than a frame, which would cut it off.
    frame = output.frame if origin.label is None else None
    pixels = bordered(made.pixels, frame) if frame is not None else made.pixels
    if origin.label is not None:
        over = [made.head] if made.logo is None else [made.head, made.logo]
        pixels = with_label(pixels, origin.label, over)
    labelled = origin.label is not None and pixels is not made.pixels
    if origin.mark is not None:
        pixels = watermark.put(pixels, origin.mark)
    if frame is not None:
        pixels = transparent(pixels, frame)
    content = encode(pixels, output.format, origin.making.source_type, caption=caption, dpi=output.dpi)
    return origin.signed(content, output.format.media_type, logo=made.logo is not None, labelled=labelled)


def outputs(
    master: Pixels,
    style: StyleSpec,
    origin: Origin,
    *,
    caption: Caption = NO_CAPTION,
    head: Head | None = None,
    logo: Pixels | None = None,
) -> dict[str, bytes]:
    """Make every file that the style asks for, by output name."""
    return {
        output.name: deliver(master, style, output, origin, caption=caption, head=head, logo=logo)
        for output in style.outputs
    }

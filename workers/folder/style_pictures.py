"""The pictures that a style file names: they lie beside it, and nowhere else."""

from __future__ import annotations

from pathlib import Path

from core.brand import pictures
from core.errors import InvalidInput
from core.image.kinds import UnreadablePhoto
from core.style.outputs import MAX_SIDE
from core.style.spec import COMPANY_LOGO, ImageBackdrop, StyleSpec
from workers.studio.backdrop import BackdropMissing
from workers.vision.decode import decode
from workers.vision.geometry import Pixels


class LogoMissing(InvalidInput):
    """The style names a file as its logo, and the file is not there or is no picture."""

    code = "logo_missing"


def backdrop_file(style: StyleSpec, folder: Path) -> Pixels | None:
    """Read the picture of an image backdrop, which lies beside the style file.

    Raises:
        BackdropMissing: it does not exist, lies elsewhere, or is no picture.
    """
    if not isinstance(style.backdrop, ImageBackdrop):
        return None
    base = folder.resolve()
    path = (base / style.backdrop.image).resolve()
    if not path.is_relative_to(base) or not path.is_file():
        raise BackdropMissing(f"The backdrop picture {style.backdrop.image} is not beside the style file.")
    try:
        return decode(path.read_bytes(), working_side=MAX_SIDE).pixels
    except UnreadablePhoto as error:
        raise BackdropMissing(f"The backdrop picture cannot be used. {error.message}") from error


def logo_file(style: StyleSpec, folder: Path) -> Pixels | None:
    """Read a style's logo, which lies beside the style file.

    Raises:
        LogoMissing: it does not exist or lies elsewhere.
        PictureUnusable: it is no picture.
    """
    if style.logo is None:
        return None
    if style.logo.image == COMPANY_LOGO:
        raise LogoMissing("Without the portal there is no company's logo. Name a file beside the style file.")
    base = folder.resolve()
    path = (base / style.logo.image).resolve()
    if not path.is_relative_to(base) or not path.is_file():
        raise LogoMissing("The logo %(file)s is not beside the style file.", file=style.logo.image)
    return pictures.pixels(path.read_bytes())

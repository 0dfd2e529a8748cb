"""Delivered files: read back, they have the size, the crop and the words that were promised."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from lxml import etree
from PIL import Image, ImageCms, IptcImagePlugin
from PIL.Image import Image as Picture

from compliance.origin import watermark
from compliance.origin.credentials import Origin
from compliance.origin.iptc import Caption
from compliance.origin.label import label_of
from compliance.origin.making import RETOUCHED, Making, source_type_of
from compliance.origin.signer import Signer
from core.style.framing import Head, head_box
from core.style.outputs import NAMED_OUTPUTS, Frame, Output, OutputCrop, OutputFormat, Shape
from core.style.spec import (
    Corner,
    Crop,
    GradientBackdrop,
    ImageBackdrop,
    Logo,
    SceneBackdrop,
    SolidBackdrop,
    StyleSpec,
)
from workers.folder.style_pictures import LogoMissing, logo_file
from workers.studio.caption import caption_of
from workers.studio.encode import cut, deliver, encode, outputs
from workers.studio.finish import finish
from workers.studio.preview import sample
from workers.vision.geometry import Pixels

NS = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "core": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "ext": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
}
STYLE = StyleSpec()
TEXT = Caption("Porträt von 李 <Zoë> & Co, “Labs”", "Labs & Söhne", "Labs", "Portrait photo of 李 Zoë")


@cache
def master(side: int = 1024) -> Pixels:
    return finish(sample(), STYLE, (side, side)).pixels


def origin(signer: Signer) -> Origin:
    return Origin(Making.of_headshot("studio", STYLE), signer)


def opened(content: bytes) -> Picture:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def packet(image: Picture) -> etree._Element:
    content = image.info.get("xmp") or image.info["XML:com.adobe.xmp"].encode()
    return etree.fromstring(content[content.index(b"<x:") : content.rindex(b"<?xpacket")])


@pytest.mark.parametrize("name", NAMED_OUTPUTS)
def test_each_named_size_is_what_its_name_promises(name: str, signer: Signer) -> None:
    asked = {
        "square": (1024, 1024, "JPEG"), "linkedin": (800, 800, "JPEG"), "slack": (1024, 1024, "JPEG"),
        "teams": (648, 648, "JPEG"), "badge": (413, 531, "JPEG"), "web": (1024, 1024, "WEBP"),
        "web-avif": (1024, 1024, "AVIF"), "avatar": (512, 512, "PNG"), "print": (3000, 3000, "JPEG"),
    }  # fmt: skip
    image = opened(deliver(master(), STYLE, NAMED_OUTPUTS[name], origin(signer)))
    assert (*image.size, image.format) == asked[name]
    if name in ("badge", "print"):
        assert image.info["dpi"] == (300, 300)


@pytest.mark.parametrize("kind", [OutputFormat.PNG, OutputFormat.WEBP, OutputFormat.AVIF])
@pytest.mark.parametrize("shape", Shape)
def test_an_avatar_is_cut_to_its_frame_and_keeps_its_watermark(
    kind: OutputFormat, shape: Shape, signer: Signer
) -> None:
    frame = Frame(shape=shape, border=0.05, color="#ff0000")
    asked = Output(name="own", width=512, height=512, format=kind, frame=frame)
    marked = Origin(Making.of_headshot("studio", STYLE), signer, mark=4711)
    image = opened(deliver(master(), STYLE, asked, marked))
    assert (image.mode, image.size) == ("RGBA", (512, 512))
    pixels = np.asarray(image)
    corner = 20 if shape is Shape.ROUNDED else 60  # of a circle more is cut off
    assert pixels[:corner:7, :corner:7, 3].diagonal().max() == 0
    assert pixels[256, 256, 3] == 255
    red, green, _blue, alpha = pixels[256, 8]  # inside of the ring, which is 25 pixels broad
    assert (red > 200, green < 60, alpha) == (True, True, 255)
    assert tuple(pixels[256, 40, :3]) != tuple(pixels[256, 8, :3])
    assert watermark.read(np.ascontiguousarray(pixels[..., :3])) == 4711


def test_a_picture_that_says_what_made_it_keeps_its_corners(signer: Signer) -> None:
    asked = Output(name="own", width=512, height=512, format=OutputFormat.PNG, frame=Frame())
    labelled = Origin(Making.of_headshot("diffusion", STYLE), signer, label=label_of("diffusion", "en"))
    assert opened(deliver(master(), STYLE, asked, labelled)).mode == "RGB"


def test_a_frame_leaves_no_corner_for_a_logo(signer: Signer) -> None:
    style = StyleSpec(logo=Logo(corner=Corner.TOP_LEFT))
    logo = np.full((64, 64, 4), 255, np.uint8)
    plain = Output(name="own", width=512, height=512, format=OutputFormat.PNG)
    framed = plain.model_copy(update={"frame": Frame(shape=Shape.ROUNDED)})
    with_logo, without = (
        np.asarray(opened(deliver(master(), style, one, origin(signer), logo=logo)).convert("RGB"))
        for one in (plain, framed)
    )
    assert with_logo[40, 50].min() > 250 > without[40, 50].min()


@pytest.mark.parametrize("kind", OutputFormat)
def test_words_travel_in_every_format_and_nothing_of_the_camera_does(kind: OutputFormat) -> None:
    image = opened(encode(master(256), kind, caption=TEXT, dpi=300))
    assert image.format == kind.name
    profile = ImageCms.getOpenProfile(io.BytesIO(image.info["icc_profile"]))
    assert "sRGB" in ImageCms.getProfileDescription(profile)
    assert not image.getexif()
    found = packet(image)

    def said(path: str) -> list[str]:
        return [str(text) for text in found.xpath(f"//{path}/text()", namespaces=NS)]

    assert said("dc:description/rdf:Alt/rdf:li[@xml:lang='x-default']") == [TEXT.caption]
    assert said("dc:creator/rdf:Seq/rdf:li") == ["Labs & Söhne"]
    assert said("photoshop:Credit") == ["Labs"]
    assert said("core:AltTextAccessibility/rdf:Alt/rdf:li") == [TEXT.alt]
    assert said("ext:DigitalSourceType") == [RETOUCHED]
    if kind in (OutputFormat.JPEG, OutputFormat.PNG):
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.01)


def test_readers_without_xmp_find_caption_and_creator_in_a_jpeg() -> None:
    long = Caption("Ä" * 480, creator="Northwind Laboratories of Ünder Lünd")
    found = IptcImagePlugin.getiptcinfo(opened(encode(master(256), OutputFormat.JPEG, caption=long)))
    assert found is not None
    assert found[(1, 90)] == b"\x1b%G"
    assert found[(2, 120)].decode() == long.caption  # type: ignore[union-attr]
    assert len(found[(2, 80)]) <= 32
    assert long.creator.startswith(found[(2, 80)].decode())  # type: ignore[union-attr]


def test_what_xml_cannot_hold_is_left_out() -> None:
    caption = Caption("a\x00b\x1f\ud800c\ufffe\n d")
    assert caption.caption == "abc d"
    assert opened(encode(master(256), OutputFormat.JPEG, caption=caption))


def test_a_file_without_words_says_only_how_it_was_made() -> None:
    image = opened(encode(master(256), OutputFormat.JPEG, "http://example.com/source"))
    assert IptcImagePlugin.getiptcinfo(image) is None
    assert (
        packet(image).xpath("string(//ext:DigitalSourceType)", namespaces=NS) == "http://example.com/source"
    )
    assert not packet(image).xpath("//dc:*", namespaces=NS)


@pytest.mark.parametrize(
    ("backdrop", "words"),
    [
        (GradientBackdrop(), "against a grey backdrop"),
        (SolidBackdrop(color="#ffffff"), "against a white backdrop"),
        (SolidBackdrop(color="#101010"), "against a black backdrop"),
        (SolidBackdrop(color="#1f3a9f"), "against a blue backdrop"),
        (SolidBackdrop(color="#0b6e4f"), "against a green backdrop"),
        (SolidBackdrop(color="#c02030"), "against a red backdrop"),
        (SceneBackdrop(), "in an office, the room out of focus"),
        (ImageBackdrop(image="x"), "Ada Lovelace"),
    ],
)
def test_alt_text_says_what_is_to_be_seen_and_judges_nobody(backdrop: object, words: str) -> None:
    style = StyleSpec.model_validate({"backdrop": backdrop})
    caption = caption_of("Ada Lovelace", "Northwind Labs", style)
    assert caption.caption == "Portrait of Ada Lovelace, Northwind Labs"
    assert (caption.creator, caption.credit) == ("Northwind Labs", "Northwind Labs")
    assert caption.alt.startswith("Portrait photo of Ada Lovelace")
    assert caption.alt.endswith(words)
    assert caption_of("", "Northwind Labs", style).caption == ""


def test_a_badge_has_the_head_that_passports_ask_for() -> None:
    """ICAO 9303: chin to crown 70 to 80 % of the height, whatever the head has of the master."""
    badge = NAMED_OUTPUTS["badge"]
    for head in (Head(0.45, 0.62), Head(0.43, 0.5), Head(0.47, 0.7)):
        part = STYLE.part(badge, head)
        assert 0.70 <= head.height / part.height <= 0.80
        assert part.left >= 0
        assert part.top >= 0
        assert part.top + part.height <= 1
    box = head_box(STYLE.part(badge), STYLE.head, badge.width, badge.height)
    assert box.top > 0


def test_a_wider_crop_than_the_master_shows_all_that_there_is() -> None:
    wide = Output(name="wide", width=200, height=200, crop=OutputCrop(head_height=0.3))
    part = STYLE.part(wide)
    assert (part.left, part.top, part.width, part.height) == pytest.approx((0, 0, 1, 1))


def test_a_tighter_crop_puts_the_head_where_it_was_asked() -> None:
    tight = Output(name="tight", width=400, height=400, crop=OutputCrop(head_height=0.8, eye_line=0.5))
    finished = finish(sample(), STYLE, (1024, 1024))
    part = STYLE.part(tight)
    eyes = float(finished.face.right_eye[1] + finished.face.left_eye[1]) / 2 / 1024
    assert (eyes - part.top) / part.height == pytest.approx(0.5, abs=0.03)
    assert cut(finished.pixels, STYLE, tight).shape == (400, 400, 3)


def test_a_smaller_picture_keeps_its_bite_without_halos_and_without_grain() -> None:
    """Detail comes back after a reduction; an edge never overshoots, and faint noise is not raised."""
    half = Output(name="half", width=512, height=512)
    lid = np.full((1024, 1024, 3), 90, np.uint8)
    lid[:, 511:] = 160
    lid = cv2.GaussianBlur(lid, (0, 0), 1.5)
    plain = np.asarray(Image.fromarray(lid).resize((512, 512), Image.Resampling.LANCZOS))
    slopes = [np.diff(pixels[256, :, 0].astype(int)).max() for pixels in (plain, cut(lid, STYLE, half))]
    assert 1.05 < slopes[1] / slopes[0] < 1.5
    edge = np.full((400, 400, 3), 60, np.uint8)
    edge[:, 203:] = 190
    done = cut(edge, STYLE, Output(name="edge", width=100, height=100))
    lanczos = np.asarray(Image.fromarray(edge).resize((100, 100), Image.Resampling.LANCZOS))
    assert done.min() >= lanczos.min()
    assert done.max() <= lanczos.max()
    noise = np.random.default_rng(0).normal(128, 2.5, (1024, 1024, 1)).repeat(3, axis=2).astype(np.uint8)
    grain = np.asarray(Image.fromarray(noise).resize((512, 512), Image.Resampling.LANCZOS))
    assert cut(noise, STYLE, half).std() < 1.03 * grain.std()


def test_nothing_is_sharpened_that_was_not_made_smaller() -> None:
    assert (cut(master(), STYLE, NAMED_OUTPUTS["square"]) == master()).all()


def logo(width: int = 200, height: int = 100) -> Pixels:
    pixels = np.zeros((height, width, 4), np.uint8)
    pixels[:, : width // 2] = (255, 0, 0, 255)
    return pixels


@pytest.mark.parametrize("corner", Corner)
def test_a_logo_stands_in_its_corner_with_its_transparency(corner: Corner) -> None:
    style = StyleSpec(
        backdrop=SolidBackdrop(color="#808080"), logo=Logo(corner=corner, width=0.2, margin=0.04)
    )
    plain = cut(master(), style, NAMED_OUTPUTS["square"]).astype(int)
    done = cut(master(), style, NAMED_OUTPUTS["square"], logo=logo()).astype(int)
    rows, columns = np.nonzero(np.abs(done - plain).max(axis=2) > 3)
    left = 41 if corner.endswith("left") else 1024 - 41 - 205
    top = 41 if corner.startswith("top") else 1024 - 41 - 102
    assert abs(columns.min() - left) <= 2
    assert abs(rows.min() - top) <= 2
    assert columns.max() - columns.min() == pytest.approx(102, abs=3)  # its right half is transparent
    assert rows.max() - rows.min() == pytest.approx(102, abs=3)


def test_a_logo_is_left_off_where_a_head_came_out_larger_than_meant() -> None:
    style = StyleSpec(crop=Crop(head_height=0.5), logo=Logo(width=0.2))
    square = NAMED_OUTPUTS["square"]
    assert (cut(master(), style, square, logo=logo(100, 100)) != master()).any()
    assert (cut(master(), style, square, logo=logo(100, 100), head=Head(0.45, 0.79)) == master()).all()


def test_a_badge_has_no_logo() -> None:
    style = StyleSpec(logo=Logo())
    badge = NAMED_OUTPUTS["badge"]
    assert (cut(master(), style, badge, logo=logo()) == cut(master(), style, badge)).all()


def test_a_logo_file_lies_beside_the_style_file(tmp_path: Path) -> None:
    folder = tmp_path
    Image.fromarray(logo()).save(folder / "logo.png")
    found = logo_file(StyleSpec(logo=Logo(image="logo.png")), folder)
    assert found is not None
    assert (found == logo()).all()
    for image in ("../logo.png", "none.png", "company"):
        with pytest.raises(LogoMissing):
            logo_file(StyleSpec(logo=Logo(image=image)), folder)  # outside, absent, or the portal's
    assert logo_file(StyleSpec(), folder) is None


def test_every_file_of_the_style_is_made_once_under_its_name(signer: Signer) -> None:
    made = outputs(master(), STYLE, origin(signer), caption=TEXT)
    assert list(made) == [output.name for output in STYLE.outputs]


@pytest.mark.parametrize(
    ("engine", "kind"),
    [
        ("studio", "algorithmicallyEnhanced"),
        ("diffusion", "trainedAlgorithmicMedia"),
        ("wardrobe", "compositeWithTrainedAlgorithmicMedia"),
    ],
)
def test_a_file_says_whether_a_model_painted_it(engine, kind):
    assert source_type_of(engine) == f"http://cv.iptc.org/newscodes/digitalsourcetype/{kind}"

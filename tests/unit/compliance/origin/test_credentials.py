"""Content credentials: the standard's own reader finds in every file what was done to it, and any change since."""

from __future__ import annotations

import io
import re
import socket
from pathlib import Path

import numpy as np
import pytest
from origins import read, state
from PIL import Image

from compliance.origin.credentials import CARRIERS, NotSigned, Origin, sign
from compliance.origin.iptc import Caption
from compliance.origin.making import Making
from compliance.origin.signer import LOCAL, Signer
from core.style.outputs import OutputFormat
from core.style.spec import GradientBackdrop, ImageBackdrop, SceneBackdrop, SolidBackdrop, StyleSpec
from core.style.variants import OTHER_BACKDROP
from workers.studio.encode import deliver, encode

STUDIO = Making.of_headshot("studio", StyleSpec())
NAME = "Ada Lovelace-Byron"


def picture(side: int = 128) -> np.ndarray:
    """A soft slope with grain, as a photo has."""
    slope = np.linspace(40, 200, side)[:, None, None] + np.linspace(0, 40, side)[None, :, None]
    grain = np.random.default_rng(3).normal(0, 2, (side, side, 3))
    return np.clip(slope + grain, 0, 255).astype(np.uint8)


def plain(kind: OutputFormat) -> bytes:
    return encode(picture(), kind, STUDIO.source_type, caption=Caption(f"Portrait of {NAME}", "Northwind"))


@pytest.mark.parametrize("kind", OutputFormat)
def test_every_format_carries_credentials_and_its_pixels_stay(kind: OutputFormat, signer: Signer) -> None:
    before = plain(kind)
    after = sign(before, kind.media_type, STUDIO, signer)
    found = read(after, kind.media_type)
    assert found is not None
    assert found.state == "Valid"
    assert found.active["claim_version"] == 2
    assert found.active["signature_info"]["issuer"] == LOCAL
    with Image.open(io.BytesIO(before)) as old, Image.open(io.BytesIO(after)) as new:
        assert np.array_equal(np.asarray(old), np.asarray(new))
        assert new.info["icc_profile"] == old.info["icc_profile"]
        assert b"DigitalSourceType" in after
    assert len(after) - len(before) < 6000, "as much as a small picture itself is too much"


def test_every_format_of_a_style_can_carry_them() -> None:
    assert {kind.media_type for kind in OutputFormat} == CARRIERS


@pytest.mark.parametrize("kind", OutputFormat)
def test_a_changed_byte_anywhere_in_the_picture_is_told(kind: OutputFormat, signer: Signer) -> None:
    before = plain(kind)
    after = sign(before, kind.media_type, STUDIO, signer)
    # Not hashed: WebP's own length, and what AVIF calls its brand (C2PA 2.4, §18.7.3).
    first = {OutputFormat.WEBP: 8, OutputFormat.AVIF: 32}.get(kind, 0)
    start = next((at for at in range(first, len(before)) if before[at] != after[at]), len(before))
    stop = start + len(after) - len(before)  # between them lie the credentials
    said = set()
    for at in (*range(first, start), *range(stop + 8, len(after), 11)):
        changed = bytearray(after)
        changed[at] ^= 0x40
        said.add(state(bytes(changed), kind.media_type))
    assert said
    assert "Valid" not in said


def test_a_changed_byte_in_the_claim_is_told(signer: Signer) -> None:
    content = sign(plain(OutputFormat.JPEG), "image/jpeg", STUDIO, signer)
    for words in (b"algorithmicallyEnhanced", b"c2pa.edited", b"Headshots", b"The background was"):
        assert words in content
        forged = content.replace(words, words[:-1] + b"x")
        assert state(forged, "image/jpeg") in ("Invalid", "unreadable")


def test_a_studio_headshot_is_an_edited_photo_and_says_what_was_done(signer: Signer) -> None:
    found = read(sign(plain(OutputFormat.JPEG), "image/jpeg", STUDIO, signer), "image/jpeg")
    assert found is not None
    assert [one["action"] for one in found.actions] == [
        "c2pa.opened", "c2pa.edited", "c2pa.color_adjustments", "c2pa.cropped", "c2pa.resized",
    ]  # fmt: skip
    assert "background was replaced by a painted studio wall" in found.actions[1]["description"]
    assert {one.get("digitalSourceType", "").rpartition("/")[2] for one in found.actions[1:]} == {
        "algorithmicallyEnhanced"
    }
    # That there was a photo, and nothing else about it.
    [ingredient] = found.active["ingredients"]
    assert ingredient == {"relationship": "parentOf", "label": "c2pa.ingredient.v3"}


@pytest.mark.parametrize(
    ("engine", "kind"),
    [("diffusion", "trainedAlgorithmicMedia"), ("wardrobe", "compositeWithTrainedAlgorithmicMedia")],
)
def test_what_a_model_painted_is_created_by_it(engine: str, kind: str, signer: Signer) -> None:
    making = Making.of_headshot(engine, StyleSpec())
    found = read(sign(plain(OutputFormat.JPEG), "image/jpeg", making, signer), "image/jpeg")
    assert found is not None
    first = found.actions[0]
    assert first["action"] == "c2pa.created"
    assert first["digitalSourceType"] == f"http://cv.iptc.org/newscodes/digitalsourcetype/{kind}"
    assert not found.active.get("ingredients")
    assert "c2pa.opened" not in [one["action"] for one in found.actions]


@pytest.mark.parametrize(
    "backdrop",
    [SolidBackdrop(), GradientBackdrop(), ImageBackdrop(image="garden.jpg"), SceneBackdrop()],
)
def test_every_backdrop_has_its_words(backdrop: object) -> None:
    style = StyleSpec.model_validate({"backdrop": backdrop})
    words = Making.of_headshot("studio", style).actions[1].words
    assert words.startswith("The background was replaced by a")
    assert "garden.jpg" not in words


def test_another_backdrop_than_the_styles_is_said_as_it_is() -> None:
    style = StyleSpec.model_validate({"backdrop": SceneBackdrop()})
    said = [Making.of_headshot("studio", style, notes).actions[1].words for notes in ((), (OTHER_BACKDROP,))]
    assert "a place painted" in said[0]
    assert said[1].endswith("replaced by an even colour.")


def test_a_logo_is_said_only_where_it_was_put_on(signer: Signer) -> None:
    from core.style.outputs import Output
    from core.style.spec import Logo

    style = StyleSpec(logo=Logo(), outputs=(Output(name="small", width=96, height=96),))
    origin = Origin(Making.of_headshot("studio", style), signer)
    drawn = np.full((32, 32, 4), 255, np.uint8)
    for logo, says in ((drawn, True), (None, False)):
        content = deliver(picture(256), style, style.outputs[0], origin, logo=logo)
        found = read(content, "image/jpeg")
        assert found is not None
        assert ("logo" in found.actions[-1]["description"]) is says


def test_credentials_name_nobody_hold_no_picture_and_link_no_two_files(signer: Signer) -> None:
    files = [sign(plain(OutputFormat.JPEG), "image/jpeg", STUDIO, signer) for _ in range(2)]
    texts = []
    for content in files:
        found = read(content, "image/jpeg")
        assert found is not None
        texts.append(found.whole)
        assert "thumbnail" not in found.whole
        assert not any(word in found.whole for word in (*NAME.split(), "Northwind"))
        assert "when" not in str(found.actions)
        assert "time" not in found.active["signature_info"]
    # Two files have in common what all of the installation have: the certificate, and what the studio does.
    unique = re.compile(
        r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    )  # random UUIDs
    one, two = (set(unique.findall(text)) for text in texts)
    assert one
    assert not one & two


def test_nothing_is_asked_of_a_network(
    signer: Signer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    def refused(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refused)
    content = sign(plain(OutputFormat.PNG), "image/png", STUDIO, signer)
    claim = content.partition(b"caBX")[2].partition(b"iTXt")[0]
    addresses = set(re.findall(rb"https?://[^/]+/", claim))
    assert addresses == {b"http://cv.iptc.org/"}, "nothing that a reader would fetch"
    assert not list(tmp_path.iterdir()), "a person's picture is never written to a disk"


def test_what_cannot_carry_them_is_refused_in_words(signer: Signer) -> None:
    with pytest.raises(NotSigned, match="of this type cannot carry"):
        sign(b"BM", "image/bmp", STUDIO, signer)
    with pytest.raises(NotSigned, match="not handed out"):
        sign(b"this is no picture", "image/jpeg", STUDIO, signer)


def test_initials_and_a_picture_of_ones_own_say_what_they_are(signer: Signer) -> None:
    drawn = read(sign(plain(OutputFormat.PNG), "image/png", Making.of_initials(), signer), "image/png")
    own = read(sign(plain(OutputFormat.JPEG), "image/jpeg", Making.of_own_picture(), signer), "image/jpeg")
    assert drawn is not None
    assert own is not None
    assert [one["action"] for one in drawn.actions] == ["c2pa.created"]
    assert drawn.actions[0]["digitalSourceType"].endswith("/algorithmicMedia")
    assert [one["action"] for one in own.actions] == ["c2pa.opened", "c2pa.transcoded"]

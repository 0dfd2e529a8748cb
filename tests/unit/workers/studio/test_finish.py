from __future__ import annotations

import dataclasses
import io
import sys
from subprocess import run

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import color, data

from compliance.origin.credentials import Origin
from compliance.origin.making import Making
from core.style.outputs import Output, OutputFormat
from core.style.presets import PRESETS
from core.style.spec import Crop, Grade, GradientBackdrop, ImageBackdrop, Light, SolidBackdrop, StyleSpec
from workers.studio import grade, light
from workers.studio.align import place
from workers.studio.backdrop import BackdropMissing, backdrop
from workers.studio.encode import cut, encode, outputs
from workers.studio.finish import finish, master_size
from workers.studio.preview import preview, sample
from workers.vision.color import luminance, to_linear, to_srgb
from workers.vision.faces import find_faces
from workers.vision.geometry import Face
from workers.vision.photometry import side_light, underexposure
from workers.vision.shading import Shading, direction, fit, lamp, normals, spread
from workers.vision.skin import SkinTone, skin_mask, skin_tone

BACKDROPS = [
    SolidBackdrop(color="#ffffff"),
    SolidBackdrop(color="#1f2d44"),
    GradientBackdrop(),
    ImageBackdrop(image="office.jpg", blur=0.03),
]


def office() -> np.ndarray:
    return np.asarray(data.coffee(), np.uint8)


def quantised(linear: np.ndarray) -> np.ndarray:
    return np.rint(to_srgb(linear) * 255).astype(np.uint8)


def test_srgb_and_linear_light_are_inverse():
    every = np.arange(256, dtype=np.uint8)
    assert (np.rint(to_srgb(to_linear(every)) * 255) == every).all()
    assert float(to_linear(np.array([0.5], np.float32))[0]) == pytest.approx(0.2140, abs=1e-4)


@pytest.mark.parametrize("spec", BACKDROPS)
def test_wall_beside_the_head_is_exactly_the_styles(spec):
    style = StyleSpec(backdrop=spec)
    pixels = finish(sample(), style, (400, 400), office()).pixels
    wall = backdrop(spec, 400, 400, office())
    difference = color.deltaE_ciede2000(color.rgb2lab(pixels / 255.0), color.rgb2lab(wall))
    assert float(np.median(difference[:80, :60])) < 0.5
    assert float(np.median(difference[:80, -60:])) < 0.5


def test_solid_backdrop_is_one_colour_to_the_last_bit():
    pixels = finish(sample(), StyleSpec(backdrop=SolidBackdrop(color="#2f4b6e", grain=0)), (300, 300)).pixels
    assert (pixels[:100, :40] == (0x2F, 0x4B, 0x6E)).all()
    assert (pixels[:100, -40:] == (0x2F, 0x4B, 0x6E)).all()


def test_gradient_is_brightest_behind_the_head_and_reaches_the_outer_colour():
    wall = backdrop(GradientBackdrop(inner="#ffffff", outer="#000000"), 200, 200)
    assert wall[84, 100].min() > 0.95
    assert wall[-1, 0].max() < 0.1
    assert wall[0, 0, 0] < wall[40, 50, 0] < wall[84, 100, 0]


def test_image_backdrop_without_its_picture_is_an_error_to_act_on():
    with pytest.raises(BackdropMissing):
        finish(sample(), StyleSpec(backdrop=ImageBackdrop(image="gone")), (200, 200))


def test_old_background_leaves_no_halo():
    """On two walls, the change at the hair's edge is a mixture of person and wall, never a third colour."""
    black = finish(sample(), StyleSpec(backdrop=SolidBackdrop(color="#000000")), (400, 400)).pixels.astype(
        int
    )
    white = finish(sample(), StyleSpec(backdrop=SolidBackdrop(color="#ffffff")), (400, 400)).pixels.astype(
        int
    )
    # alpha from the two; the person's own colour follows as black / alpha and must be hair, not grey wall
    alpha = 1 - (white - black).mean(axis=2) / 255
    edge = (alpha > 0.3) & (alpha < 0.9)
    edge[200:] = False
    own = black[edge] / alpha[edge][:, None]
    inner = np.median(black[(alpha > 0.99) & (np.arange(400)[:, None] < 110)], axis=0)
    assert edge.sum() > 100
    assert np.abs(np.median(own, axis=0) - inner).max() < 45


def test_light_moves_part_of_the_way_to_the_styles_and_the_complexion_stays():
    cutout = sample()
    linear = to_linear(cutout.foreground)
    ramp = np.linspace(-1.0, 1.0, linear.shape[1], dtype=np.float32)[None, :, None]
    uneven = linear * np.exp2(ramp)
    before = side_light(uneven, cutout.face)
    flat = Light(azimuth=0, elevation=0, contrast=0)
    half = light.relight(uneven, cutout.face, flat.model_copy(update={"strength": 0.5}))
    full = light.relight(uneven, cutout.face, flat.model_copy(update={"strength": 1.0}))
    assert abs(side_light(half, cutout.face)) == pytest.approx(abs(before) / 2, rel=0.25)
    assert abs(side_light(full, cutout.face)) < 0.25 * abs(before)
    tone, evened = skin_tone(quantised(uneven), cutout.face), skin_tone(quantised(full), cutout.face)
    assert tone.difference(evened) < 3
    assert light.relight(uneven, cutout.face, flat.model_copy(update={"strength": 0.0})) is uneven


@pytest.mark.parametrize("azimuth", [-45.0, 0.0, 45.0])
@pytest.mark.parametrize("elevation", [0.0, 35.0])
def test_light_on_a_mesh_is_found_where_the_lamp_stands(azimuth, elevation):
    """The mean-face mesh lit by a lamp at a known place, in a grey skin."""
    face = sample().face
    meant = lamp(azimuth, elevation, 0.8)
    linear = lit(face, meant)
    found = direction(fit(linear, face), normals(face))
    assert found[0] == pytest.approx(azimuth, abs=15)
    assert found[1] == pytest.approx(elevation, abs=20)


def test_relighting_a_lit_mesh_gives_the_light_that_was_asked_for():
    """Error against the exact relit mesh, where the gain is not clamped: below a fifth of a stop."""
    face = sample().face
    source, style = lamp(40, 15, 0.35), Light(strength=1.0, azimuth=-30, elevation=25, contrast=0.35)
    target = lit(face, lamp(style.azimuth, style.elevation, style.contrast))
    made = light.relight(lit(face, source), face, style)
    skin = skin_mask(made.shape, face)
    stops = np.log2(luminance(made)[skin] / luminance(target)[skin])
    assert float(np.sqrt(np.mean((stops - np.median(stops)) ** 2))) < 0.2


def test_gain_of_the_light_is_clamped():
    cutout = sample()
    linear = to_linear(cutout.foreground)
    hard = Light(strength=1.0, azimuth=75, elevation=0, contrast=1.0)
    gain = luminance(light.relight(linear, cutout.face, hard)) / np.maximum(luminance(linear), 1e-6)
    lit_pixels = gain[luminance(linear) > 0.01]
    assert lit_pixels.min() >= light.GAIN[0] * 0.97  # cubic enlarging swings a little over
    assert lit_pixels.max() <= light.GAIN[1] * 1.03


def test_wall_gets_the_grain_and_in_a_style_without_it_none():
    cutout = sample()
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 3, cutout.foreground.shape[:2])[..., None]
    noisy = dataclasses.replace(
        cutout, foreground=np.clip(cutout.foreground + noise, 0, 255).astype(np.uint8)
    )
    style = StyleSpec(backdrop=SolidBackdrop(color="#808890"))
    side = 2 * cutout.foreground.shape[0]  # the noise is not averaged away by making the picture smaller
    wall = finish(noisy, style, (side, side)).pixels[:60, :60].astype(float).std()
    still = finish(
        noisy, style.model_copy(update={"backdrop": SolidBackdrop(color="#808890", grain=0)}), (side, side)
    )
    assert still.pixels[:60, :60].astype(float).std(axis=(0, 1)).max() == 0
    assert 0.2 < wall < 12


def test_contact_light_darkens_or_lightens_the_wall_beside_the_person_only():
    plain = finish(sample(), StyleSpec(backdrop=SolidBackdrop(color="#a0a8b0", grain=0)), (400, 400)).pixels
    for stops in (-0.6, 0.4):
        spec = SolidBackdrop(color="#a0a8b0", grain=0, contact=stops)
        pixels = finish(sample(), StyleSpec(backdrop=spec), (400, 400)).pixels
        assert np.array_equal(pixels[:40, :20], plain[:40, :20])
        change = pixels.astype(int).mean(axis=2) - plain.astype(int).mean(axis=2)
        assert np.sign(change[np.abs(change).argmax() // 400, np.abs(change).argmax() % 400]) == np.sign(
            stops
        )
        assert np.abs(change).max() > 5


def lit(face: Face, shading: Shading) -> np.ndarray:
    """Paint the mesh in a grey skin under a light; everything else is mid-grey."""
    shape = (512, 512)
    values = spread(shading.at(normals(face)), face, shape)
    return np.repeat(np.nan_to_num(values * 0.35, nan=0.18)[..., None], 3, axis=2).astype(np.float32)


def test_dark_face_is_lifted_within_the_limit_and_a_good_one_left_alone():
    cutout = sample()
    linear = to_linear(cutout.foreground)
    assert underexposure(linear, cutout.face) == 0
    assert np.allclose(grade.expose(linear, cutout.face, 0.0), linear)
    dark = linear * np.float32(0.1)
    lifted = grade.expose(dark, cutout.face, 0.0)
    gain = float(
        np.median(luminance(lifted)[dark.max(axis=2) > 0.01] / luminance(dark)[dark.max(axis=2) > 0.01])
    )
    assert gain == pytest.approx(2**grade.MAX_STOPS, rel=0.02)
    wished = grade.expose(linear, cutout.face, 1.0)
    assert luminance(wished).mean() < luminance(linear).mean() * 2**grade.MAX_STOPS * 1.01


def test_skin_of_a_possible_hue_is_never_recoloured_and_a_cast_is_reduced():
    cutout = sample()
    linear = to_linear(cutout.foreground)
    assert grade.balance(linear, cutout.face) is linear
    green = linear * np.array([0.75, 1.05, 0.65], np.float32)
    mended = grade.balance(green, cutout.face)
    hue = skin_tone(quantised(green), cutout.face).hue
    better = skin_tone(quantised(mended), cutout.face).hue
    assert hue > 75
    assert 60 < better < hue


def test_neutral_grade_changes_nothing():
    linear = to_linear(sample().foreground)
    neutral = Grade(contrast=0, warmth=0, saturation=1)
    assert np.allclose(grade.develop(linear, neutral, 0.3), linear)
    grey = grade.develop(linear, Grade(contrast=0, saturation=0), 0.3)
    assert np.ptp(grey, axis=2).max() < 1e-5
    warm = grade.develop(linear, Grade(contrast=0, warmth=1), 0.3)
    assert np.allclose(luminance(warm), luminance(linear), atol=2e-3)
    assert warm[..., 0].sum() > linear[..., 0].sum()


def test_skin_keeps_its_texture():
    """No smoothing: fine detail of the face after finishing is what a plain enlargement would have."""
    cutout = sample()
    style = StyleSpec(light=Light(strength=1.0), grade=Grade(contrast=0), backdrop=SolidBackdrop())
    finished = finish(cutout, style, (512, 512))
    box = finished.face.box
    part = (slice(int(box.top), int(box.bottom)), slice(int(box.left), int(box.right)))
    plain = Image.fromarray(cutout.foreground).resize(
        (512, 512), Image.Resampling.BICUBIC, box=tuple(_source_box(finished.framing.matrix))
    )

    def detail(pixels: np.ndarray) -> float:
        grey = pixels.astype(float).mean(axis=2)
        return float(np.abs(np.diff(grey, axis=0)).mean())

    assert detail(finished.pixels[part]) > 0.85 * detail(np.asarray(plain)[part])


def _source_box(matrix: np.ndarray) -> tuple[float, float, float, float]:
    back = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))
    corners = np.array([back @ np.array([x, y, 1]) for x in (0, 512) for y in (0, 512)])[:, :2]
    low, high = corners.min(axis=0).clip(0, 512), corners.max(axis=0).clip(0, 512)
    return (low[0], low[1], high[0], high[1])


def test_master_covers_every_output_without_enlarging():
    outputs_asked = (Output(name="a", width=800, height=800), Output(name="b", width=1584, height=396))
    style = StyleSpec(outputs=outputs_asked, crop=Crop(aspect=0.8))
    width, height = master_size(style)
    assert width >= 1584
    assert height >= 800
    frame = style.frame(width, height)
    assert frame.width / frame.height == pytest.approx(0.8, abs=0.01)
    assert frame.height == height, "nothing is added above: a wide file needs room beside the frame only"


def test_outputs_have_their_size_format_profile_and_no_camera_data(signer):
    style = StyleSpec(
        outputs=tuple(
            Output(name=kind.value, width=200, height=160, format=kind)
            for kind in (OutputFormat.JPEG, OutputFormat.PNG, OutputFormat.WEBP)
        )
    )
    master = finish(sample(), style, master_size(style)).pixels
    for name, content in outputs(
        master, style, Origin(Making.of_headshot("wardrobe", style), signer)
    ).items():
        with Image.open(io.BytesIO(content)) as image:
            assert image.format.lower() == name
            assert image.size == (200, 160)
            assert image.info["icc_profile"]
            assert not image.getexif()
            assert b"DigitalSourceType" in content
            assert b"compositeWithTrainedAlgorithmicMedia</" in content
    assert b"algorithmicallyEnhanced" in encode(master, OutputFormat.JPEG)


def test_banner_keeps_the_eyes():
    style = StyleSpec()
    finished = finish(sample(), style, (512, 512))
    banner = cut(finished.pixels, style, Output(name="banner", width=512, height=200))
    eyes = int(finished.face.right_eye[1] - style.crop.eye_line * (512 - 200))
    column = int(finished.face.right_eye[0])
    expected = finished.pixels[int(finished.face.right_eye[1]), column].astype(int)
    assert np.abs(banner[eyes, column].astype(int) - expected).max() < 25


def test_preview_shows_as_much_of_the_backdrop_as_the_headshot_does():
    hero = Output(name="hero", width=1600, height=900)
    square = Output(name="square", width=400, height=400)
    style = StyleSpec(backdrop=ImageBackdrop(image="office.jpg"), outputs=(square, hero))
    made = cut(finish(sample(), style, master_size(style), office()).pixels, style, square)
    with Image.open(io.BytesIO(preview(style, office(), 400))) as image:
        shown = np.asarray(image.convert("RGB")).astype(int)
    corner = (slice(0, 100), slice(0, 80))
    assert np.abs(shown[corner] - made[corner]).mean() < 6


def test_preview_shows_the_style_without_any_model():
    for style in (
        StyleSpec(),
        StyleSpec(crop=Crop(aspect=0.8)),
        StyleSpec(backdrop=SolidBackdrop(color="#ff0000")),
    ):
        with Image.open(io.BytesIO(preview(style))) as image:
            assert max(image.size) == 512
            assert image.size[0] / image.size[1] == pytest.approx(style.crop.aspect, abs=0.01)
    with Image.open(io.BytesIO(preview(StyleSpec(backdrop=SolidBackdrop(color="#ff0000"))))) as image:
        assert image.getpixel((3, 3))[0] > 245


@pytest.mark.parametrize("eye_line", [0.25, 0.42, 0.6])
@pytest.mark.parametrize("head_height", [0.25, 0.5, 0.75])
def test_preview_survives_every_crop_a_style_can_ask_for(eye_line, head_height):
    assert preview(StyleSpec(crop=Crop(eye_line=eye_line, head_height=head_height)), size=128)


def test_preview_loads_neither_mediapipe_nor_a_matting_solver():
    code = (
        "import sys; from core.style.spec import StyleSpec; from workers.studio.preview import preview; "
        "preview(StyleSpec(), size=64); "
        "print([name for name in ('mediapipe', 'pymatting', 'torch', '_dlib_pybind11') if name in sys.modules])"
    )
    done = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


COMPLEXIONS = [
    SkinTone(*map(float, tone))
    for tone in ((74, 9, 15), (66, 13, 22), (58, 14, 12), (52, 11, 10), (44, 14, 16), (31, 10, 12))
]


@pytest.mark.parametrize("style", PRESETS.values(), ids=PRESETS)
@pytest.mark.parametrize("tone", COMPLEXIONS, ids=lambda tone: f"L{tone.lightness}")
def test_no_presets_film_makes_a_complexion_another_one(style, tone):
    assert abs(grade.styled(tone, style).ita - tone.ita) <= 4.5


@given(
    lightness=st.floats(22, 78),  # the lightest skin has 75; from 82 the film's shoulder takes red from it
    yellow=st.floats(6, 32),
    red=st.floats(5, 18),
    contrast=st.floats(-0.3, 0.4),
    fade=st.floats(0, 0.1),
    exposure=st.floats(-0.4, 0.4),
)
@settings(max_examples=80, deadline=None)
def test_contrast_fade_and_exposure_of_any_film_leave_the_skin_where_it_is(
    lightness, yellow, red, contrast, fade, exposure
):
    tone = SkinTone(lightness, red, yellow)
    style = StyleSpec(grade=Grade(contrast=contrast, fade=fade), light=Light(exposure=exposure))
    assert abs(grade.styled(tone, style).ita - tone.ita) <= 3.0


@pytest.mark.parametrize("style", PRESETS.values(), ids=PRESETS)
@pytest.mark.parametrize("stops", [-1.0, -0.5, 0.0])
def test_headshots_complexion_is_the_photos_in_every_preset(style, stops):
    cutout = sample()
    darker = quantised(to_linear(cutout.foreground) * np.float32(2.0**stops))
    made = finish(dataclasses.replace(cutout, foreground=darker), style, (512, 512))
    photo, headshot = (
        skin_tone(darker, cutout.face),
        skin_tone(made.framed(style), find_faces(made.pixels)[0]),
    )
    assert abs(headshot.ita - photo.ita) <= 7


def test_shine_on_a_forehead_is_taken_down_and_matt_skin_left_alone():
    cutout = sample()
    linear = to_linear(cutout.foreground)
    x, y = cutout.face.landmarks[9, :2]
    down, across = np.mgrid[0 : linear.shape[0], 0 : linear.shape[1]]
    spot = np.exp(-0.5 * np.square(np.hypot(across - x, down - y) / (0.04 * cutout.face.head_height)))
    shining = linear + 0.5 * spot[..., None].astype(np.float32)
    here = spot > 0.6
    keeping = Light(strength=0.01)
    tamed = light.relight(shining, cutout.face, keeping)
    before, after = (
        float(np.log2(luminance(one)[here] / luminance(linear)[here]).mean()) for one in (shining, tamed)
    )
    assert after < 0.75 * before
    matt = light.relight(linear, cutout.face, keeping)
    change = np.log2(
        luminance(matt)[skin_mask(linear.shape, cutout.face)]
        / luminance(linear)[skin_mask(linear.shape, cutout.face)]
    )
    assert float(np.median(np.abs(change))) < 0.05


def test_a_grainy_photos_grain_is_brought_to_a_clean_ones_and_its_detail_stays():
    cutout = sample()
    rng = np.random.default_rng(3)
    noisy = np.clip(cutout.foreground + rng.normal(0, 9, cutout.foreground.shape), 0, 255).astype(np.uint8)
    side = cutout.foreground.shape[0]
    style = StyleSpec(backdrop=SolidBackdrop(color="#808890"))
    clean = finish(cutout, style, (side, side))
    grainy = finish(dataclasses.replace(cutout, foreground=noisy), style, (side, side))

    def fine(one, where):
        grey = one.pixels.astype(float).mean(axis=2)
        return float((grey - cv2.GaussianBlur(grey, (0, 0), 2))[where].std())

    skin = skin_mask(clean.pixels.shape, clean.face)
    raw, _, _ = place(dataclasses.replace(cutout, foreground=noisy), grainy.framing, side, side)
    before = fine(dataclasses.replace(grainy, pixels=raw), skin)
    assert fine(grainy, skin) < 0.88 * before
    eyes = np.zeros(skin.shape, bool)
    x, y = (int(place) for place in clean.face.right_eye)
    eyes[y - 8 : y + 8, x - 14 : x + 14] = True
    assert fine(grainy, eyes) > 0.8 * fine(clean, eyes)

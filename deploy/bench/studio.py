"""`headshots bench studio`: how alike, how like, how fast and how large; figures against what they should reach."""

from __future__ import annotations

import io
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from PIL import Image
from skimage import data

from compliance.consent import own_photos
from core.consent import ValidConsent
from core.style.outputs import Output, OutputFormat
from core.style.spec import StyleSpec
from deploy.bench import seconds_of
from deploy.bench.series import bench_series
from workers.pipeline.gates import backdrop_error
from workers.pipeline.reference import Own
from workers.pipeline.render import Headshot, render
from workers.pipeline.team import team_figures
from workers.process.warm import warm
from workers.studio.encode import encode
from workers.studio.grade import styled
from workers.vision import check
from workers.vision.check import examine
from workers.vision.color import to_linear
from workers.vision.faces import find_faces
from workers.vision.geometry import Pixels
from workers.vision.likeness import embed
from workers.vision.photometry import side_light
from workers.vision.skin import skin_tone

Report = Callable[[dict[str, Any], str], None]

MEGAPIXELS: Final = (1, 4, 12, 24, 50)
ROUNDS: Final = 3
_SIZES: Final = tuple(np.linspace(0.88, 1.0, 9))  # of a picture whose likeness is measured
_EACH: Final = 5  # headshots that each worker makes for the throughput
# One size alone: the figures are about a headshot of 1,024².
STYLE: Final = StyleSpec(outputs=(Output(name="square", width=1024, height=1024),))


@dataclass(frozen=True, slots=True)
class _Made:
    """What one person's best headshot measures, beside its source."""

    person: str
    shot: Headshot
    source_light: float  # stops
    likeness_gain: float | None  # result to other photos minus source to them; below 0 is nearer
    ita: float  # degrees, against the source
    resolution: float


def bench_studio(report: Report, people: dict[str, list[tuple[str, bytes]]]) -> None:
    """Print the team's figures and the cost by size of photo."""
    started = time.perf_counter()
    warm()
    _say(report, "warm-up of a worker", time.perf_counter() - started, "s")
    made = [one for person, files in people.items() if (one := _make(person, files)) is not None]
    _team(report, made)
    bench_series(report, {one.person: dict(people[one.person])[one.shot.source] for one in made})
    _speed(report)


def _make(person: str, files: list[tuple[str, bytes]]) -> _Made | None:
    consent = own_photos()
    result = render(files, STYLE, consent)
    if not result.headshots:
        return None
    shot = result.headshots[0]
    own = Own()
    source = None
    for name, content in files:
        seen = examine(content, consent)
        if seen.verdict.accepted and seen.pixels is not None and seen.face is not None:
            own.add(name, seen.pixels, seen.face, consent)
            if name == shot.source:
                source = seen
    assert source is not None, "a headshot's photo was accepted"
    assert source.pixels is not None, "an accepted photo has pixels"
    assert source.face is not None, "an accepted photo has a face"
    face = find_faces(shot.pixels)[0]
    before = steady_likeness(source.pixels, own, shot.source, consent)
    after = steady_likeness(shot.pixels, own, shot.source, consent)
    meant = styled(skin_tone(source.pixels, source.face), STYLE)
    return _Made(
        person,
        shot,
        side_light(to_linear(source.pixels), source.face),
        None if before is None or after is None else after - before,
        abs(skin_tone(shot.pixels, face).ita - meant.ita),
        float(shot.report.gates["resolution"].value or 0),  # type: ignore[index]  # a StrEnum's value
    )


def steady_likeness(pixels: Pixels, own: Own, source: str, consent: ValidConsent) -> float | None:
    """Return the mean distance to a person's photos other than `source`, over nine sizes of the picture.

    One measurement alone moves by 0.01 when a picture becomes 1 % larger or a processor rounds otherwise, as
    much as retouching changes it; what the network was trained for is a mean over such variations too.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        own: The person's photos.
        source: Key of the one that the picture shows.
        consent: Must cover `likeness`.
    """
    found = []
    for scale in _SIZES:
        shape = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
        resized = np.asarray(cv2.resize(pixels, shape, interpolation=cv2.INTER_AREA), np.uint8)
        found.append(own.likeness(embed(resized, find_faces(resized)[0], consent), but=source))
    return float(np.mean([one for one in found if one is not None])) if None not in found else None


def _team(report: Report, made: list[_Made]) -> None:
    if not made:
        return
    figures = team_figures({one.person: one.shot.report for one in made})
    backdrops = [
        one.shot.report.figures["backdrop_delta_e"]
        for one in made
        if "backdrop_delta_e" in one.shot.report.figures
    ]
    gains = [one.likeness_gain for one in made if one.likeness_gain is not None]
    drifts = [one.ita for one in made]
    before = float(np.std([one.source_light for one in made]))
    after = figures.side_light_sd_stops
    _say(report, "people with a headshot", len(made), "")
    _say(report, "eye line, standard deviation", figures.eye_line_sd_percent, "% of the height", "≤ 0.4")
    _say(
        report, "head height, standard deviation", figures.head_height_sd_percent, "% of the height", "≤ 1.0"
    )
    _say(report, "roll, largest", figures.roll_max_degrees, "degrees", "≤ 0.7")
    _say(report, "backdrop at the border, median person", statistics.median(backdrops), "ΔE2000", "≤ 0.5")
    _say(report, "backdrop at the border, worst person", max(backdrops), "ΔE2000", "≤ 1.0")
    # A JPEG keeps whole steps of YCbCr, which lie up to 0.9 ΔE2000 from a colour between them.
    written = [off for one in made if (off := _backdrop_of_file(one.shot.pixels)) is not None]
    _say(report, "the same in the JPEG, median person", statistics.median(written), "ΔE2000")
    _say(report, "the same in the JPEG, worst person", max(written), "ΔE2000")
    if gains:
        _say(
            report,
            "likeness, headshot against photo, mean change",
            statistics.fmean(gains),
            "distance",
            "≤ 0.02",
        )
    _say(report, "complexion against the photo, median", statistics.median(drifts), "degrees ITA", "≤ 3")
    _say(report, "complexion against the photo, worst", max(drifts), "degrees ITA", "≤ 6")
    _say(report, "light between the halves, photos, standard deviation", before, "stops")
    _say(report, "light between the halves, headshots", after, "stops", f"≤ {before / 2:.2f}")
    _say(
        report,
        "photo pixels per headshot pixel, median",
        statistics.median(one.resolution for one in made),
        "",
    )


def _backdrop_of_file(pixels: Pixels) -> float | None:
    with Image.open(io.BytesIO(encode(pixels, OutputFormat.JPEG))) as picture:
        return backdrop_error(np.asarray(picture), STYLE)


def _speed(report: Report) -> None:
    consent = own_photos()
    with _one_core():
        for size in MEGAPIXELS:
            content = _photo(size)
            checking = seconds_of(partial(check.check, content, consent), ROUNDS)
            making = partial(render, [("photo", content)], STYLE, consent)
            seconds = seconds_of(making, ROUNDS)
            peak = _alone(_peak, content)
            wanted = " (≤ 0.25 and ≤ 2.0)" if size == 12 else " (≤ 1.5 GB)" if size == 50 else ""
            report(
                {
                    "figure": "speed",
                    "megapixels": size,
                    "check_seconds": round(checking, 3),
                    "headshot_seconds": round(seconds, 3),
                    "peak_memory_gb": round(peak, 2),
                },
                f"{size:3d} megapixels, one core: check {checking:.2f} s, check and headshot {seconds:.2f} s, "
                f"peak memory of a fresh worker {peak:.2f} GB{wanted}",
            )
        first, rest = _alone(_first_and_rest, _photo(12))
    _say(report, "first render after the warm-up, one core", first, "s", f"as the rest, {rest:.2f} s")
    one, two = _throughput(1, _photo(12)), _throughput(2, _photo(12))
    _say(report, "headshots a minute, one worker", one, "")
    _say(report, "headshots a minute, two workers", two, "", f"twice, {2 * one:.0f}")


def _say(report: Report, what: str, value: float, unit: str, reach: str = "") -> None:
    number = round(float(value), 3)
    wanted = f"  (to reach: {reach})" if reach else ""
    report(
        {"figure": what, "value": number, "unit": unit, "reach": reach},
        f"{what}: {number:g} {unit}{wanted}".replace(" " * 3, "  "),
    )


def _photo(megapixels: int) -> bytes:
    """Return a JPEG of that size as a phone writes it: the NASA portrait enlarged, with a sensor's noise."""
    side = round((megapixels * 1e6) ** 0.5)
    large = np.asarray(Image.fromarray(data.astronaut()).resize((side, side), Image.Resampling.BICUBIC))
    noise = np.random.default_rng(0).normal(0, 4, (side, side, 1)).astype(np.float32)
    noisy = np.clip(large + noise, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noisy).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


@contextmanager
def _one_core() -> Iterator[None]:
    """Bind this process, and what it starts, to one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _alone(work: Callable[[bytes], Any], content: bytes) -> Any:
    """Do `work` in a process that has done nothing else."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, (content,))


def _peak(content: bytes) -> float:
    """Return the peak memory of this process in GB after check and headshot of one photo."""
    warm()
    render([("photo", content)], STYLE, own_photos())
    # Not getrusage: its peak starts with what the parent had when this process was forked off.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e9


def _first_and_rest(content: bytes) -> tuple[float, float]:
    warm()
    times = []
    for _ in range(1 + ROUNDS):
        started = time.perf_counter()
        render([("photo", content)], STYLE, own_photos())
        times.append(time.perf_counter() - started)
    return times[0], statistics.median(times[1:])


def _throughput(workers: int, content: bytes) -> float:
    """Return headshots a minute of that many processes, each on one core of its own."""
    cores = sorted(os.sched_getaffinity(0))[:workers]
    with ExitStack() as stack:
        context = multiprocessing.get_context("spawn")
        pools = [stack.enter_context(context.Pool(1, os.sched_setaffinity, (0, {core}))) for core in cores]
        for pool in pools:
            pool.apply(_renders, (content, 1))
        started = time.perf_counter()
        for running in [pool.apply_async(_renders, (content, _EACH)) for pool in pools]:
            running.get()
        return 60 * _EACH * len(pools) / (time.perf_counter() - started)


def _renders(content: bytes, count: int) -> None:
    warm()
    for _ in range(count):
        render([("photo", content)], STYLE, own_photos())

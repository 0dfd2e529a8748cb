"""The main job over HTTP, from sign-in to the deletion certificate, with photos good and bad."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis
from PIL import Image, UnidentifiedImageError

from compliance.verify import verify_file
from deploy.demo.story import DemoResult, Place, place_of, run_demo
from deploy.local.stack import running
from workers.folder.batch import Report
from workers.folder.sample import sample_people

# One demo for all of them.
pytestmark = pytest.mark.xdist_group("demo")

# A folder may be called anything: a roster must not see a formula in it, nor ask whether it was saved twice.
ODD_NAME = "=cmd|' Ã¼nal"
SAME_NAME = "eileen 2"  # someone with the first name of the one who is erased, who must not be taken for her


@dataclass
class Told:
    """A finished demo, and what it left in the running product."""

    out: Path
    home: Path
    result: DemoResult
    place: Place
    redis_url: str
    lines: list[str] = field(default_factory=list)


def _damaged() -> dict[str, bytes]:
    picture = io.BytesIO()
    Image.new("RGB", (900, 900), "#888888").save(picture, "JPEG")
    return {
        "notes.jpg": b"These are my notes about the photo, not a photo. " * 20,
        "tiny.jpg": b"\xff\xd8\xff" + b"\0" * 37,
        "truncated.jpg": sample_people()["eileen"][0][1][:9000],
        "wall.jpg": picture.getvalue(),
    }


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    damaged = list(_damaged().items())
    photos = {"eileen": [*damaged, *sample_people()["eileen"][:2]], ODD_NAME: damaged[:2]}
    photos[SAME_NAME] = damaged[:1]
    with tempfile.TemporaryDirectory(prefix="headshots-demo-") as folder:
        home, out, lines = Path(folder) / "home", Path(folder) / "out", list[str]()
        temporary = Path(folder) / "tmp"
        temporary.mkdir(mode=0o777)
        with pytest.MonkeyPatch.context() as patch:
            # The product's processes inherit it, so what they leave in the temp folder is there to be seen.
            patch.setenv("TMPDIR", str(temporary))
            yield from _tell(home, out, photos, lines)


def _tell(
    home: Path, out: Path, photos: dict[str, list[tuple[str, bytes]]], lines: list[str]
) -> Iterator[Told]:
    with running(home, durable=False, test=True) as stack:
        place = place_of(stack)
        try:
            result = run_demo(place, photos, out, lines.append)
        except BaseException as error:
            error.add_note("\n".join([*lines, *_complaints(home / "logs")]))
            raise
        yield Told(out, home, result, place, stack.services.redis_url, lines)


def _complaints(logs: Path) -> list[str]:
    """Return what the product's processes said that is worth a look, the last of it from each."""
    return [
        f"{path.name}: {line}"
        for path in sorted(logs.glob("*.log"))
        for line in [
            line
            for line in path.read_text(errors="replace").splitlines()
            if not re.search(r'"level": ?"(info|debug)"', line)
        ][-40:]
    ]


def test_headshot_is_delivered_in_every_shape_without_camera_data(told: Told) -> None:
    sizes = {
        "headshot.jpg": (1024, 1024),
        "linkedin.jpg": (800, 800),
        "slack.jpg": (1024, 1024),
        "teams.jpg": (648, 648),
        "badge.jpg": (413, 531),
        "web.webp": (1024, 1024),
        "web-avif.avif": (1024, 1024),
    }
    for name, size in sizes.items():
        with Image.open(told.out / "eileen" / name) as picture:
            # The sample photo has 43 px between the eyes: what its files show is never enlarged.
            assert picture.width < 330
            assert picture.width / picture.height == pytest.approx(size[0] / size[1], abs=0.01)
            assert b"Northwind Labs" in picture.info["xmp"]
            assert picture.mode == "RGB"
            assert not picture.getexif()
    with Image.open(told.out / "team.jpg") as sheet:
        assert sheet.width > 400


def test_each_bad_photo_has_its_reason_and_costs_no_other(told: Told) -> None:
    eileen, odd, _ = told.result.report.people
    reasons = {photo.file: [issue.code for issue in photo.issues] for photo in eileen.photos}
    assert reasons["notes.jpg"] == ["not_a_photo"]
    assert reasons["tiny.jpg"] == ["damaged"]
    assert reasons["truncated.jpg"] == ["damaged"]
    assert reasons["wall.jpg"] == ["no_face"]
    assert eileen.source == "portrait.jpg"
    assert all(gate.passed is not False for gate in eileen.gates.values())
    assert odd.person == ODD_NAME
    assert odd.source is None
    assert len(odd.photos) == 2


def test_report_has_the_shape_that_render_writes(told: Told) -> None:
    written = Report.model_validate_json((told.out / "report.json").read_bytes())
    assert written == told.result.report
    assert written.team.people == 1
    assert written.people[0].seconds > 0


def test_rows_that_were_not_imported_come_back_with_reasons(told: Told) -> None:
    rows = list(csv.DictReader(io.StringIO((told.out / "rejected.csv").read_text("utf-8-sig"))))
    assert len(rows) == 4
    assert all(row["reason"] for row in rows)


def test_hr_downloads_headshots_and_alternatives(told: Told) -> None:
    with zipfile.ZipFile(told.out / "headshots.zip") as archive:
        names = archive.namelist()
    assert names == ["E1001_Example_Eileen.jpg", "alternatives/E1004_Example_Noor.png", "manifest.csv"]
    with Image.open(told.out / "noor" / "avatar.png") as avatar:
        assert avatar.size == (1024, 1024)


def test_certificate_is_complete_and_one_changed_byte_is_noticed(told: Told) -> None:
    proof = told.result.proof
    assert proof.person == "eileen"
    keys = json.loads((told.out / "certificates" / "keys.json").read_text())
    found = verify_file(told.out / "certificates" / "eileen.pdf", keys)
    assert found.ok
    assert found.status == "COMPLETE"
    assert not proof.tampered.ok


def _readable(client: redis.Redis, key: bytes) -> bytes:
    """All that a key holds; RQ packs its job data, so that is unpacked."""
    kind = client.type(key)
    values: list[bytes] = []
    if kind == b"string":
        values = [client.get(key) or b""]
    elif kind == b"hash":
        values = [part for pair in client.hgetall(key).items() for part in pair]
    elif kind == b"list":
        values = client.lrange(key, 0, -1)
    elif kind == b"set":
        values = list(client.smembers(key))
    elif kind == b"zset":
        values = [member for member, _ in client.zrange(key, 0, -1, withscores=True)]
    else:
        pytest.fail(f"{kind!r} is not looked into")
    unpacked = []
    for value in values:
        with contextlib.suppress(zlib.error):
            unpacked.append(zlib.decompress(value))
    return b"\n".join([key, *values, *unpacked])


def _left_behind(told: Told) -> dict[str, bytes]:
    left = {
        str(path): path.read_bytes()
        for folder in (told.home / "logs", told.home / "storage", told.home.parent / "tmp")
        for path in folder.rglob("*")
        if path.is_file()
    }
    with contextlib.closing(redis.Redis.from_url(told.redis_url)) as client:
        left |= {f"redis {key!r}": _readable(client, key) for key in client.scan_iter()}
    return left


def test_nothing_that_lies_around_names_or_shows_anybody(told: Told) -> None:
    left = _left_behind(told)
    for place in ("logs", "storage", "redis"):
        assert any(place in name for name in left), f"nothing was looked at in {place}"
    # Words and beginnings of files of six bytes and more: sealed bytes are any, and among 30 MB of them four that are
    # looked for would be found in one run of a hundred.
    for name, content in left.items():
        for personal in (
            b"Eileen",
            b"eileen",
            b"@northwind.example",
            b"\xff\xd8\xff\xe0\0\x10JFIF",
            b"\x89PNG\r\n",
        ):
            assert personal not in content, f"{personal!r} in {name}"
        with contextlib.suppress(UnidentifiedImageError, OSError):
            Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP", "TIFF"))
            pytest.fail(f"{name} is a picture that anybody can open")

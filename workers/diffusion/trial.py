"""`headshots trial`: the first pictures of real people with real weights, several ways, to be looked at and counted.

For people who agreed to exactly this: what it writes shows their faces.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from core.consent import Purpose, ValidConsent
from core.style.spec import StyleSpec
from workers.diffusion.adapters import Adapter
from workers.diffusion.bases import Z_IMAGE, Base
from workers.diffusion.best import away, own_faces
from workers.diffusion.captions import PERSON
from workers.diffusion.engine import references
from workers.diffusion.examples import TooFewPhotos, split
from workers.diffusion.learn import learn, sources_of
from workers.diffusion.prompts import prompts
from workers.diffusion.resident import Resident
from workers.diffusion.sample import Request
from workers.diffusion.worn import NOTHING_SEEN
from workers.vision.encoder import titles
from workers.vision.faces import find_faces
from workers.vision.geometry import Pixels

Report = Callable[[dict[str, Any], str], None]
People = Mapping[str, Sequence[tuple[str, bytes]]]

PICTURES: Final = 24  # of each person, each way
_SLOT: Final = 1
_TILE: Final = 256  # px of a picture's side on the sheet
_AGREED: Final = ValidConsent(None, frozenset(Purpose))  # stated by whoever starts it


@dataclass(frozen=True, slots=True)
class Way:
    """One way to make a person.

    Attributes:
        name: Of its folder and its row.
        shift: Of the noise levels; by the picture's tokens where `None`.
        upper_share: See `Base.upper_share`.
        trained: Whether a model of the person is trained.
        shown: Whether the base sees photos of the person: of those that train, never of those that are compared with.
    """

    name: str
    shift: float | None = None
    upper_share: float = 0.0
    trained: bool = True
    shown: bool = False

    def of(self, base: Base) -> Base:
        """Return the base as this way trains it."""
        return replace(base, shift=self.shift, upper_share=self.upper_share)


def ways(base: Base) -> tuple[Way, ...]:
    """Return what is compared on a base: noise levels where it learns a flow, and photos alone and beside a model."""
    if base.name == Z_IMAGE.name:
        return (Way("as-sampled"), Way("unshifted", 0.0))
    if not base.references:
        return (Way("as-is"),)
    return (
        Way("unshifted", 0.0),
        Way("shift-by-size", None, base.upper_share),
        Way("shift-1.15", 1.15, base.upper_share),
        Way("shown", trained=False, shown=True),
        Way("with-references", None, base.upper_share, shown=True),
    )


def trial(
    resident: Resident, people: People, style: StyleSpec, out: Path, report: Report, pictures: int = PICTURES
) -> None:
    """Make every person every way, and write pictures, a sheet for a blind panel and a table.

    `OUT/<person>/<way>/NN.jpg`; `OUT/<person>/sheet.jpg` has a row for each way, by a letter that means something else for
    each person; `OUT/key.json` says what the letters mean; `OUT/table.csv` has the figures.

    Args:
        resident: The loaded base.
        people: Name and files of each, who agreed.
        style: What is asked for.
        out: A folder; it will hold faces.
        report: Told each row.
        pictures: Of each person, each way.
    """
    out.mkdir(parents=True, exist_ok=True)
    key: dict[str, dict[str, str]] = {}
    rows: list[dict[str, Any]] = []
    for number, (name, photos) in enumerate(people.items()):
        made: list[list[Pixels]] = []
        compared = ways(resident.base)
        learned: dict[tuple[float | None, float], Adapter] = {}
        try:
            for way in compared:
                found, row = _one(resident, way, photos, style, number, pictures, learned)
                made.append(found)
                rows.append({"person": name, "way": way.name, **row})
                report(
                    rows[-1],
                    f"{name}, {way.name}: " + ", ".join(f"{key} {value}" for key, value in row.items()),
                )
                _write(out / name / way.name, found)
        except TooFewPhotos as error:
            report({"person": name, "skipped": error.code}, f"{name}: {error.message}")
            continue
        order = np.random.default_rng(number).permutation(len(compared))
        letters = [chr(ord("A") + place) for place in range(len(compared))]
        key[name] = {letter: compared[place].name for letter, place in zip(letters, order, strict=True)}
        _sheet([made[place] for place in order]).save(out / name / "sheet.jpg", quality=92)
    (out / "key.json").write_text(
        json.dumps({"encoder": titles(), "letters": key}, indent=1), encoding="utf-8"
    )
    if rows:
        with (out / "table.csv").open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]))
            table.writeheader()
            table.writerows(rows)


def _one(
    resident: Resident,
    way: Way,
    photos: Sequence[tuple[str, bytes]],
    style: StyleSpec,
    seed: int,
    count: int,
    learned: dict[tuple[float | None, float], Adapter],
) -> tuple[list[Pixels], dict[str, Any]]:
    sources = sources_of(photos, {}, _AGREED)
    parts = split(sources, apart=not resident.is_tiny)
    own = own_faces([one for one in sources if one.key in parts.held_out], _AGREED)
    adapter = _trained(resident, way, photos, style, seed, learned) if way.trained else None
    by_key = {one.key: one for one in sources}
    teaching = [by_key[key] for key in parts.train]  # best first
    shown = references(teaching, _AGREED, resident.base.reference_side) if way.shown else ()
    if way.shown and not shown:
        raise TooFewPhotos
    lines = prompts(
        style,
        PERSON if adapter else "",
        count,
        worn=adapter.facts.worn if adapter else NOTHING_SEEN,
        images=len(shown),
    )
    resident.sampler.load(_SLOT, adapter)
    asked = [Request(line, seed + number, _SLOT) for number, line in enumerate(lines)]
    made = list(resident.sampler.sample(asked, shown))
    resident.sampler.forget()
    known = [far for one in made for far in [away(one, find_faces(one), own, _AGREED)] if far is not None]
    return made, {
        "pictures": len(made),
        "faces": len(known),
        # Distances as a share of the most lenient limit, by the less content encoder.
        "median_share": round(float(np.median(known)), 3) if known else None,
        "nearest": round(min(known), 3) if known else None,
        "within_limit": sum(far <= 1 for far in known),
    }


def _trained(
    resident: Resident,
    way: Way,
    photos: Sequence[tuple[str, bytes]],
    style: StyleSpec,
    seed: int,
    learned: dict[tuple[float | None, float], Adapter],
) -> Adapter:
    """Train a person this way; ways that differ only in what is shown share a model."""
    levels = way.shift, way.upper_share
    if levels not in learned:
        resident.trainer.teach_at(way.of(resident.base))
        try:
            learned[levels] = learn(
                resident,
                photos,
                {},
                style,
                _AGREED,
                seed,
                on_step=lambda _step: None,
                stop=lambda: False,
                keep=lambda _state: None,
            ).adapter
        finally:
            resident.trainer.teach_at(resident.base)
    return learned[levels]


def _write(folder: Path, pictures: Sequence[Pixels]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, one in enumerate(pictures):
        Image.fromarray(one).save(folder / f"{number:02}.jpg", quality=95)


def _sheet(rows: Sequence[Sequence[Pixels]]) -> Image.Image:
    """Return small pictures, a row for each way."""
    sheet = Image.new("RGB", (_TILE * max(map(len, rows)), _TILE * len(rows)))
    for down, row in enumerate(rows):
        for across, one in enumerate(row):
            sheet.paste(
                Image.fromarray(one).resize((_TILE, _TILE), Image.Resampling.LANCZOS),
                (across * _TILE, down * _TILE),
            )
    return sheet

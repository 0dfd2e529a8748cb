"""A network of the operator's own: a local ONNX file, and what a side file of the same name says of it.

`modnet.json` beside `modnet.onnx` names network and licence and says how its pictures are prepared (docs/networks.md).
Nothing is ever downloaded; the file is one, so that its hash stands for all that computes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import ConfigurationError
from workers.vision.geometry import Pixels
from workers.vision.licences import refusal

_TYPES: Final = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
_SHOWN: Final = 16  # digits of a hash: enough to compare by eye


class Facts(BaseModel):
    """What a side file says; every line may be left out where a plug has a guess of its own.

    Attributes:
        name: For the operator.
        licence: As its maker says; for the operator.
        mean: Of red, green and blue, of values 0 to 1; taken off.
        deviation: The same; divided by.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field("", max_length=80)
    licence: str = Field("", max_length=80)
    mean: tuple[float, float, float] | None = None
    deviation: tuple[float, float, float] | None = None


AnyFacts = TypeVar("AnyFacts", bound=Facts)


@dataclass(frozen=True, slots=True, eq=False)
class Network(Generic[AnyFacts]):
    """A network that was read.

    Attributes:
        setting: That names it.
        path: Of the file.
        digest: SHA-256 of the file, hexadecimal.
        facts: What its side file says.
        session: onnxruntime's.
    """

    setting: str
    path: Path
    digest: str
    facts: AnyFacts
    session: Any

    @property
    def title(self) -> str:
        """Which it is, for the operator: name, licence, file, hash."""
        named = self.facts.name or self.path.name
        licence = self.facts.licence or f"no licence named in {side_file(self.path).name}"
        return f"{named} ({licence}; {self.path.name}, SHA-256 {self.digest[:_SHOWN]}…)"

    @property
    def sides(self) -> tuple[int | None, int | None]:
        """Height and width that the network takes, pixels; `None` where it takes any."""
        height, width = self.session.get_inputs()[0].shape[2:]
        return (
            height if isinstance(height, int) else None,
            width if isinstance(width, int) else None,
        )

    def run(
        self,
        picture: Pixels,
        mean: tuple[float, float, float],
        deviation: tuple[float, float, float],
    ) -> NDArray[np.float32]:
        """Return the last output for a picture of the right size.

        Args:
            picture: uint8, height × width × 3, sRGB.
            mean: See `Facts`.
            deviation: See `Facts`.

        Raises:
            ConfigurationError: the network does not run on it.
        """
        values = picture.astype(np.float32) / 255.0
        values = (values - np.array(mean, np.float32)) / np.array(deviation, np.float32)
        into = self.session.get_inputs()[0]
        batch = values.transpose(2, 0, 1)[None].astype(_TYPES[into.type])
        try:
            answer = self.session.run(None, {into.name: batch})
        except Exception as error:  # onnxruntime raises its own classes, straight from Exception
            raise self.wrong("does not run on a picture of the size that it asks for") from error
        return np.asarray(answer[-1], np.float32)

    def wrong(self, what: str) -> ConfigurationError:
        """Return the error that says what is wrong with this network."""
        return ConfigurationError(f"{self.setting}: {self.path.name} {what}.")


def side_file(path: Path) -> Path:
    """Return where what is known of a network lies."""
    return path.with_suffix(".json")


def load(setting: str, path: Path, facts: type[AnyFacts]) -> Network[AnyFacts]:
    """Read a network and its side file.

    Args:
        setting: That names the file.
        path: Of the ONNX file.
        facts: What the side file holds; an absent one says nothing.

    Raises:
        ConfigurationError: a file is missing, refused or no such network, or onnxruntime is not installed.
    """
    if not path.is_file():
        raise ConfigurationError(f"{setting}: there is no file {path}.")
    try:
        import onnxruntime
    except ImportError as error:
        raise ConfigurationError(
            f"{setting} needs onnxruntime: pip install -c constraints.txt '.[onnx]'"
        ) from error
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if (why := refusal(f"{path.parent.name}/{path.name}", digest)) is not None:
        raise ConfigurationError(f"{setting}: {path.name} is refused. {why}.")
    known = _facts(setting, path, facts)
    try:
        session = onnxruntime.InferenceSession(content, providers=onnxruntime.get_available_providers())
    except Exception as error:  # as above
        raise ConfigurationError(
            f"{setting}: {path.name} is no network that can be read. It has to be one whole ONNX file."
        ) from error
    network = Network(setting, path, digest, known, session)
    into = session.get_inputs()
    if len(into) != 1 or len(into[0].shape) != 4 or not _fits(into[0].shape, 1, 3):
        raise network.wrong("must take one picture, 1 × 3 × height × width")
    if into[0].type not in _TYPES:
        raise network.wrong(f"takes {into[0].type}, not floating-point numbers of 32 or 16 bits")
    return network


def _fits(shape: list[Any], *wanted: int) -> bool:
    """Say whether the first sides of a shape are these; one without a number takes any."""
    return all(not isinstance(side, int) or side == want for side, want in zip(shape, wanted, strict=False))


def _facts(setting: str, path: Path, facts: type[AnyFacts]) -> AnyFacts:
    side = side_file(path)
    try:
        return facts.model_validate_json(side.read_bytes() if side.is_file() else b"{}")
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(
            f"{setting}: {side.name} beside it is wrong{f' at {where}' if where else ''}: {first['msg']}."
        ) from error

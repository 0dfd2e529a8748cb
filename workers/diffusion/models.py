"""Load a base from a folder or the hub, and refuse what could run code or is not what it says."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import diffusers
import torch
from diffusers import DiffusionPipeline
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled
from safetensors import SafetensorError

from core.errors import ConfigurationError
from workers.diffusion import random_weights
from workers.diffusion.bases import FULL, TINY, Z_IMAGE, Base, Weights, refuse, refuse_class
from workers.diffusion.z_image import steady

_PINNED: Final = re.compile(r"^(?P<repository>[\w.-]+/[\w.-]+)@(?P<revision>[0-9a-f]{40})$")
# Pickles run code when they are read, and so does a model's own code.
_CODE: Final = frozenset(
    {".py", ".pyc", ".so", ".bin", ".ckpt", ".pt", ".pth", ".pkl", ".pickle", ".zip", ".msgpack", ".h5"}
)
_LIBRARIES: Final = frozenset({"diffusers", "transformers"})
_ENCODER: Final = "text_encoder"  # how the names of text encoders begin
_EDGE: Final = 1 << 20  # bytes at either end of a weights file that count towards its fingerprint
_FETCHED: Final = ("*.json", "*.txt", "*.model", "*.jinja")  # of each part, besides its weights
# Small models are for seeing the path work on a CPU: seconds instead of minutes.
_TINY: Final[dict[str, Any]] = {
    "side": 128,
    "sample_side": 256,
    "sample_steps": 4,
    "steps": 24,
    "rank": 4,
    "learning_rate": 5e-3,
    "style_rank": 2,
    "style_steps": 16,
    "style_learning_rate": 5e-3,
    "text_tokens": 77,
}


class WeightsMissing(ConfigurationError):
    """There is nothing to load; the message says what to fetch."""

    code = "weights_missing"


class WeightsRefused(ConfigurationError):
    """What lies there is not loaded; the message says why."""

    code = "weights_refused"


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A loaded base.

    Attributes:
        base: Its description, with this model's own sizes.
        pipeline: The diffusers pipeline with every part on its device.
        revision: What an adapter must have been trained on: the hub's commit or a fingerprint of the folder.
        is_tiny: Whether it is a small random model.
        encoders: Fingerprint of each text encoder, by part.
    """

    base: Base
    pipeline: Any
    revision: str
    is_tiny: bool = False
    encoders: Mapping[str, str] = field(default_factory=dict)

    @property
    def denoiser(self) -> torch.nn.Module:
        """The network that learns."""
        network: torch.nn.Module = getattr(self.pipeline, self.base.denoiser)
        return network

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self.denoiser.parameters()).device


def device() -> torch.device:
    """Return the GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def precision(where: torch.device) -> torch.dtype:
    """Return bf16 on a GPU: half the memory, and the range of fp32, which fp16 lacks."""
    return torch.bfloat16 if where.type == "cuda" else torch.float32


def load(
    base: Base, source: str, *, role: str, where: torch.device | None = None, beside: Model | None = None
) -> Model:
    """Load `base` for training or sampling.

    Args:
        base: What it has to be.
        source: A folder in diffusers layout, `organization/repository@commit` on the hub, or random weights:
            `tiny` ones, or `full` size for timing.
        role: `train`, `sample` or `inpaint`: whose weights to name where they are missing.
        where: Device; the GPU where there is one.
        beside: Another of the same process, whose text encoders are used where they are the same.

    Raises:
        BaseRefused: weights that a paid service may not use.
        WeightsMissing: nothing there; says what to fetch, how large, under which licence.
        WeightsRefused: pickles, code, another model, or damaged files.
    """
    where = where or device()
    if source == TINY:
        torch.set_num_threads(1)  # at this size threads wait for each other longer than they work
        small = replace(base, **_TINY)
        pipeline = random_weights.pipeline(base.name, inpainting=role == "inpaint")
        encoders = _random_encoders(base, pipeline, TINY, beside)
        return Model(
            small,
            _placed(small, pipeline, where, torch.float32),
            f"{TINY}-1",
            is_tiny=True,
            encoders=encoders,
        )
    if source == FULL:
        with torch.device(where), _default(precision(where)):
            pipeline = random_weights.pipeline(base.name, FULL, inpainting=role == "inpaint")
        encoders = _random_encoders(base, pipeline, FULL, beside)
        return Model(base, _placed(base, pipeline, where, precision(where)), f"{FULL}-1", encoders=encoders)
    folder = Path(source)
    if folder.is_dir():
        revision = inspect(folder, base, role)
    else:
        refuse(source)
        folder, revision = _fetched(base, source, base.train if role == "train" else base.sample)
        inspect(folder, base, role)
    encoders = {part: _fingerprint(folder / part) for part in base.parts if part.startswith(_ENCODER)}
    try:
        pipeline = DiffusionPipeline.from_pretrained(
            folder,
            **_shared(encoders, beside),
            dtype=precision(where),
            variant=_variant(folder, base),
            use_safetensors=True,
            local_files_only=True,
        )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise WeightsRefused(
            f"The weights in {folder} cannot be read: {_first_line(error)} Fetch them again."
        ) from error
    return Model(base, _placed(base, pipeline, where, precision(where)), revision, encoders=encoders)


def _shared(encoders: Mapping[str, str], beside: Model | None) -> dict[str, Any]:
    """Return the text encoders that need not be loaded again: 8 GB of klein's."""
    if beside is None:
        return {}
    return {
        part: getattr(beside.pipeline, part)
        for part, fingerprint in encoders.items()
        if beside.encoders.get(part) == fingerprint
    }


def _random_encoders(base: Base, pipeline: Any, size: str, beside: Model | None) -> dict[str, str]:
    encoders = {part: f"{size}-1" for part in base.parts if part.startswith(_ENCODER)}
    pipeline.register_modules(**_shared(encoders, beside))
    return encoders


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix == ".safetensors":
            digest.update(path.name.encode() + _ends(path))
        elif path.suffix == ".json":
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def inspect(folder: Path, base: Base, role: str) -> str:
    """Look at a folder before anything in it is loaded, and return its fingerprint.

    The fingerprint covers every configuration, and size, header and both ends of every weights file of
    the denoiser: reading all bytes of 16 GB would take longer than loading them.

    Raises:
        BaseRefused: what it is may not be used.
        WeightsRefused: see `load`.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)
    code = [path for path in files if path.suffix.lower() in _CODE]
    if code:
        names = ", ".join(str(path.relative_to(folder)) for path in code[:3])
        raise WeightsRefused(
            f"{folder} has files that could run code ({names}). Only safetensors and JSON are read: remove "
            "these files, or fetch the safetensors variant."
        )
    _check_index(folder, base, role)
    _check_shape(folder, base)
    digest = hashlib.sha256()
    for path in files:
        if path.suffix == ".json":
            digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
        elif path.suffix == ".safetensors":
            content = _ends(path)
            if path.parent.name == base.denoiser:
                digest.update(str(path.relative_to(folder)).encode() + content)
    return f"sha256:{digest.hexdigest()}"


def _configuration(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WeightsRefused(f"There is no {path}, so this is not the diffusers layout.") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise WeightsRefused(f"{path} is damaged ({error}). Fetch the weights again.") from error
    if not isinstance(found, dict):
        raise WeightsRefused(f"{path} is damaged. Fetch the weights again.")
    return found


def _check_shape(folder: Path, base: Base) -> None:
    """Hold what the parts say of themselves against the base: a folder can be called anything."""
    for part, wanted in base.shape.items():
        path = folder / part / ("scheduler_config.json" if part == "scheduler" else "config.json")
        said = _configuration(path)
        for name, value in wanted.items():
            found = said.get(name)
            if (tuple(found) if isinstance(found, list) else found) != value:
                raise WeightsRefused(
                    f"{folder} is not {base.title}: {part} has {name} {found}, and that has {value}. {base.likes}"
                )


def _check_index(folder: Path, base: Base, role: str) -> None:
    path = folder / "model_index.json"
    index = _configuration(path)
    found = index.get("_class_name")
    refuse_class(str(folder), str(found))
    if found != base.pipeline:
        raise WeightsRefused(f"{folder} holds a {found}, not {base.title} ({base.pipeline}).")
    for name, part in index.items():
        if isinstance(part, list) and part[0] is not None and part[0] not in _LIBRARIES:
            raise WeightsRefused(
                f"{path}: the part {name} comes with code of its own ({part[0]}); that is not run."
            )

    distilled = bool(index.get("is_distilled", False))
    if base.distilled and distilled is not (role == "sample"):
        fitting = base.sample if role == "sample" else base.train
        what = "distilled to few steps, and training it gives grey pictures" if distilled else "not distilled"
        raise WeightsRefused(
            f"{folder} is {what}: HEADSHOTS_DIFFUSION_{role.upper()}_MODEL has to name {fitting.repository}."
        )


def _variant(folder: Path, base: Base) -> str | None:
    """Return which files to read where a folder holds those of a variant alone."""
    names = [path.name for path in (folder / base.denoiser).glob("*.safetensors")]
    marked = [name for name in names if base.variant and f".{base.variant}." in f".{name}"]
    return base.variant if names and len(marked) == len(names) else None


def patterns(base: Base) -> list[str]:
    """Return which files of a repository on the hub are fetched: only what is read."""
    weights = f"*.{base.variant}.safetensors" if base.variant else "*.safetensors"
    return [
        "model_index.json",
        "LICENSE*",
        "NOTICE*",
        *(f"{part}/{name}" for part in base.parts for name in (*_FETCHED, weights)),
    ]


def _ends(path: Path) -> bytes:
    """Return size, header and both ends of a safetensors file.

    Raises:
        WeightsRefused: it is shorter or longer than its header says.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        try:
            if length > min(size - 8, 100_000_000):  # safetensors' own limit of a header
                raise ValueError("its header is longer than the file")
            header = stream.read(length)
            entries = json.loads(header)
            last = max(
                (entry["data_offsets"][1] for name, entry in entries.items() if name != "__metadata__"),
                default=0,
            )
            if 8 + length + last != size:
                raise ValueError("its size is not what its header says")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise WeightsRefused(f"{path} is damaged: {error}. Fetch the weights again.") from error
        first = stream.read(_EDGE)
        stream.seek(max(stream.tell(), size - _EDGE))
        return size.to_bytes(8, "little") + header + first + stream.read(_EDGE)


def _fetched(base: Base, source: str, weights: Weights) -> tuple[Path, str]:
    pinned = _PINNED.match(source)
    if pinned is None:
        raise WeightsMissing(
            f"There is no folder {source}, and it is no pinned hub id. Fetch {weights.repository} (about "
            f"{weights.gigabytes:g} GB, {base.licence}, {base.licence_url}) into a folder and name that, or give "
            f"{weights.repository}@<40-digit commit>."
        )
    refuse(pinned["repository"])
    try:
        folder = snapshot_download(
            pinned["repository"], revision=pinned["revision"], allow_patterns=patterns(base)
        )
    except (LocalEntryNotFoundError, OfflineModeIsEnabled, HfHubHTTPError, OSError) as error:
        raise WeightsMissing(
            f"{source} is not on this machine and cannot be fetched ({_first_line(error)}). Fetch it where there is a "
            f"network (about {weights.gigabytes:g} GB, {base.licence}, {base.licence_url}) and name its folder."
        ) from error
    return Path(folder), pinned["revision"]


def _placed(base: Base, pipeline: Any, where: torch.device, dtype: torch.dtype) -> Any:
    pipeline.set_progress_bar_config(disable=True)
    pipeline.to(where, dtype)
    for part in pipeline.components.values():
        if isinstance(part, torch.nn.Module):
            part.requires_grad_(False)
            part.eval()
    if base.name == Z_IMAGE.name:
        steady(pipeline.transformer, base.text_tokens)
    return pipeline


@contextmanager
def _default(dtype: torch.dtype) -> Iterator[None]:
    """Make new weights of this kind: 8 GB in bf16 must not be 16 first."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return text[0][:200] if text else type(error).__name__


diffusers.utils.logging.set_verbosity_error()
diffusers.utils.logging.disable_progress_bar()

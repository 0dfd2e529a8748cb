"""This host: room, keys, certificates, fonts, libraries, models."""

from __future__ import annotations

import ctypes
import shutil
import stat
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from sqlalchemy.exc import DBAPIError

from compliance.origin.signer import configured
from compliance.requests.opendsr import signing as signing_of_programs
from core import attestations, gpu
from core.belonging import Unreadable, unreadable
from core.clock import now
from core.errors import ConfigurationError, Misfit, Unavailable
from core.fonts import covering
from core.observe import health
from core.observe.figures import expiries
from core.outages import part_of
from core.portraits import engines
from core.settings import diffusion_settings, settings
from core.vault import ties, vault
from core.vault.aws_client import KeyServiceRefuses
from core.vault.kms import EpochKeyGone
from deploy import installation
from deploy.doctor.finding import Finding, failure, ok, skipped, warning
from deploy.fonts import SCRIPTS

_FULL_BYTES: Final = (
    200_000_000  # a worker decodes in memory; logs, key drafts and the web's counters need little
)
_NARROW_SHARE: Final = 0.1
_SOON: Final = timedelta(days=60)  # identity providers pin the SAML certificate, and their admins need weeks
_BACKUP_DUE: Final = timedelta(hours=36)  # one a day, and half a day to notice
_DRILL_DUE: Final = timedelta(
    days=100
)  # one a quarter, and a week to notice; as in deploy/observe/alerts.yaml
# As in deploy/setup.sh: WeasyPrint loads these by name, and OpenCV's wheel is linked to the last two.
_LIBRARIES: Final = {
    "libpango-1.0.so.0": "libpango-1.0-0",
    "libpangoft2-1.0.so.0": "libpangoft2-1.0-0",
    "libgobject-2.0.so.0": "libglib2.0-0",
    "libfontconfig.so.1": "libfontconfig1",
    "libharfbuzz.so.0": "libharfbuzz0b",
    "libharfbuzz-subset.so.0": "libharfbuzz-subset0",
    "libGL.so.1": "libgl1",
    "libgthread-2.0.so.0": "libglib2.0-0",
}


def disk() -> Iterator[Finding]:
    """Room where something is written."""
    places = {"temporary files": Path(tempfile.gettempdir())}
    if not settings().kms_url:
        places["the keyring"] = settings().keyring_path
    storage = urlsplit(settings().storage_url)
    if storage.scheme == "file":
        places["the storage"] = Path(storage.path)
    for what, path in places.items():
        try:
            room = shutil.disk_usage(path)
        except FileNotFoundError:
            yield failure(
                "disk",
                f"there is no folder {path} for {what}",
                "Mount its volume. Before the first `headshots migrate`, which makes it, this is expected.",
            )
            continue
        says = f"{room.free / 1e9:.1f} GB free for {what}"
        mend = f"Make room on the volume of {path}, or enlarge it."
        if room.free < _FULL_BYTES:
            yield failure("disk", says, mend)
        elif room.free < room.total * _NARROW_SHARE:
            yield warning("disk", says, mend)
        else:
            yield ok("disk", says)


def keyring() -> Iterator[Finding]:
    """The epoch keys open what they sealed, and nobody else can read them."""
    for epoch in vault().keys.taken_back():
        yield failure(
            "keyring",
            f"somebody took back the deletion of the key of epoch {epoch} at the key service",
            "See docs/operate.md, “A deletion was taken back”.",
        )
    try:
        health.ask_keyring()
    except EpochKeyGone:
        yield failure(
            "keyring",
            f"{settings().kms_url or settings().keyring_path} has no key of the current epoch",
            "Mount the keyring's own volume there. If it is lost, see “Operate”, the keyring is lost.",
        )
        return
    yield ok("keyring", "the current epoch's key opens what it seals")
    if not settings().kms_url:
        yield from _closed("keyring", settings().keyring_path)


def _closed(check: str, path: Path) -> Iterator[Finding]:
    open_to_others = path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    if open_to_others:
        yield failure(check, f"others may open {path}", f"chmod -R go= {path}")


def backups() -> Iterator[Finding]:
    """The newest whole backup."""
    made = ties.installation()
    if made.backup_at is None:
        yield warning(
            "backup", "none was made by `headshots backup`", "Give it a timer, unless you back up otherwise."
        )
    elif now() - made.backup_at > _BACKUP_DUE:
        yield warning(
            "backup",
            f"the newest is of {made.backup_at:%Y-%m-%d %H:%M} UTC",
            "See the timer of `headshots backup`.",
        )
    else:
        yield ok("backup", f"the newest is of {made.backup_at:%Y-%m-%d %H:%M} UTC")


def drills() -> Iterator[Finding]:
    """The newest restore that was tried."""
    made = ties.installation()
    mend = "Run `headshots drill restore` with the newest backup that has objects, see docs/operate.md (Backups)."
    if made.drill_at is None:
        yield warning("drill", "no restore was ever tried and found good", mend)
    elif now() - made.drill_at > _DRILL_DUE:
        yield warning("drill", f"the newest good one is of {made.drill_at:%Y-%m-%d}", mend)
    else:
        yield ok("drill", f"the newest good one is of {made.drill_at:%Y-%m-%d}")


def attested() -> Iterator[Finding]:
    """Who attests that no backup holds the epoch keys."""
    standing = attestations.standing()
    if standing.overdue:
        yield warning(
            "attestation",
            standing.overdue,
            "Run `headshots keys attest`, see docs/operate.md, “Nobody attested”.",
        )
    else:
        assert standing.newest is not None
        yield ok("attestation", f"{standing.newest.name}, on {standing.newest.created_at:%Y-%m-%d}")


def belonging() -> Iterator[Finding]:
    """This host, the key store, the keyring and the storage belong to the installation in the database."""
    for part, check in installation.CHECKS.items():
        try:
            check()
        except Misfit as error:
            yield failure(
                "installation",
                f"{part}: {error.operator}",
                "Give this host what it lacks, or the right address.",
            )
        except Unreadable as error:
            yield failure("installation", f"{part}: {error.says}", error.mend)
        except ConfigurationError as error:
            yield failure(
                "installation", f"{part}: {error.message}", "Give this host the keys of one that works."
            )
        except KeyServiceRefuses as error:
            yield failure("installation", f"{part}: {error.operator}", "Mend that, and try again.")
        except (Unavailable, DBAPIError) as error:
            if (closed := unreadable(error)) is not None:
                yield failure("installation", f"{part}: {closed.says}", closed.mend)
                continue
            away = part_of(error)
            yield warning(
                "installation",
                f"{part}: cannot be compared while a part does not work ({away or type(error).__name__})",
                "Nothing is wrong with this host's keys as far as is known. Mend the findings on databases, keyring and storage first.",
            )
        else:
            yield ok("installation", f"{part}: the installation's")
    for name, fingerprint in installation.fingerprints().items():
        yield ok("installation", f"fingerprint of {name}: {fingerprint}")


def signing() -> Iterator[Finding]:
    """The signing keys are there, closed, and what their certificates say."""
    check = "signing_keys"
    folder = settings().signing_path
    for name in ("log.pem", "log-ml-dsa-44.pem", "document.pem", "origin.pem", "saml-sp.key", "saml-sp.crt"):
        path = folder / name
        if not path.exists():
            yield failure(
                check,
                f"{path} is missing",
                "Copy the folder from a host that works, or restore it from the backup; `headshots migrate` makes a first one.",
            )
            continue
        if not name.endswith(".crt"):
            yield from _closed(check, path)
        if name in ("document.pem", "origin.pem", "saml-sp.crt"):
            certificates = x509.load_pem_x509_certificates(path.read_bytes())
            yield from _certificate(
                check, name, certificates, datetime.fromtimestamp(min(expiries(path)), UTC)
            )
    try:
        operators = configured()
    except ConfigurationError as error:
        yield failure(check, error.message, "See docs/origin.md, “Who signs”.")
        return
    if operators is not None:
        name, certificate = "HEADSHOTS_ORIGIN_CERTIFICATE", operators.certificate
        yield from _certificate(check, name, [certificate], certificate.not_valid_after_utc)
    yield from opendsr()


def opendsr() -> Iterator[Finding]:
    """The key that answers to privacy programs are signed with, where the operator has set one."""
    check, path = "signing_keys", settings().opendsr_path
    if path is None:
        return
    try:
        signer = signing_of_programs.signer()
    except ConfigurationError as error:
        yield failure(check, error.message, "See docs/opendsr.md, “Turning it on”.")
        return
    yield from _closed(check, path)
    if signer is not None:
        chain = x509.load_pem_x509_certificates(signer.chain)
        ends = min(one.not_valid_after_utc for one in chain)
        yield from _certificate(check, "HEADSHOTS_OPENDSR_PATH", chain[:1], ends)


def _certificate(
    check: str, name: str, certificates: list[x509.Certificate], expiry: datetime
) -> Iterator[Finding]:
    shown = certificates[-1].fingerprint(SHA256()).hex(":", 2)
    says = f"{name} expires on {expiry:%Y-%m-%d}; SHA-256 {shown}"
    if expiry < now():
        yield failure(check, says, "See “Operate”, certificates.")
    elif expiry - now() < _SOON:
        yield warning(check, says, "See “Operate”, certificates.")
    else:
        yield ok(check, says)


def fonts() -> Iterator[Finding]:
    """Every script that names are written in has a font."""
    missing = {script: package for script, (letters, package) in SCRIPTS.items() if covering(letters) is None}
    if missing:
        yield warning(
            "fonts",
            f"none for {', '.join(missing)}: such names are not printed",
            f"apt-get install {' '.join(sorted(set(missing.values())))}",
        )
    else:
        yield ok("fonts", f"{len(SCRIPTS)} scripts can be printed")


def libraries() -> Iterator[Finding]:
    """The system's libraries that Python packages load."""
    missing = []
    for library, package in _LIBRARIES.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            missing.append(package)
    if missing:
        names = " ".join(sorted(set(missing)))
        yield failure("libraries", f"{names} is missing", f"apt-get install {names}")
    else:
        yield ok("libraries", "all there")


def matting() -> Iterator[Finding]:
    """Which matting cuts people out, and that a network of the operator's own can be used."""
    from workers.vision import alpha_model

    yield ok("matting_model", alpha_model.check())


def likeness() -> Iterator[Finding]:
    """Which encoders compare faces, and that one of the operator's own can be used."""
    from workers.vision.encoder import titles

    yield ok("likeness_model", titles())


def image_model() -> Iterator[Finding]:
    """The image model's packages and weights, a GPU, and whether workers hold it."""
    check = "gpu"
    config = diffusion_settings()
    if not config.diffusion_base:
        yield skipped(check, "HEADSHOTS_DIFFUSION_BASE is not set, so the engine `diffusion` is off")
        return
    if workers := gpu.alive():
        yield ok(check, f"{len(workers)} GPU workers are there")
    else:
        yield warning(
            check, "no GPU worker runs", "Start `headshots worker --engine diffusion`, one for each GPU."
        )
    used = [("train", config.diffusion_train_model), ("sample", config.diffusion_sample_model)]
    if config.diffusion_inpaint_model:
        used.append(("inpaint", config.diffusion_inpaint_model))
    elif not engines.paints_clothes():
        yield skipped(
            "weights", "HEADSHOTS_DIFFUSION_INPAINT_MODEL is not set, so nobody's clothes are painted"
        )
    for use, source in used:
        name = f"HEADSHOTS_DIFFUSION_{use.upper()}_MODEL"
        if not source:
            yield failure("weights", f"{name} is not set", f"Set {name} to a folder or a pinned hub id.")
        elif source.startswith("/") and not Path(source).is_dir():
            yield failure("weights", f"{name} is no folder on this host", "Copy the weights there.")
        else:
            yield ok("weights", f"{name} is set")
    if any(find_spec(package) is None for package in ("torch", "diffusers", "peft")):
        yield skipped(check, "this host has no torch, so it cannot be a GPU worker")
        return
    yield from _cuda(check)


def _cuda(check: str) -> Iterator[Finding]:
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        yield warning(
            check,
            "this host has no CUDA driver",
            "Install the GPU's driver, or run the GPU worker elsewhere.",
        )
    else:
        yield ok(check, "the CUDA driver is there")

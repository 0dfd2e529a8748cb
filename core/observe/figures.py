"""What the database, the keys and the machine know of the whole installation: taken by the leading scheduler alone.

Nothing is asked when somebody looks: a duty takes the figures every few seconds and whoever scrapes reads the last.
Companies appear as classes of size only.
"""

from __future__ import annotations

import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from cryptography import x509
from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from core import attestations, gpu
from core.clock import now
from core.db import Lookup
from core.logs import logger
from core.queue import JobName, Lane, lane_of
from core.settings import settings
from core.vault import vault
from core.vault.ties import installation

EVERY_SECONDS: Final = 15.0
# A process that leads no more, or hangs, must not go on saying what was.
STALE_SECONDS: Final = 120.0
# What of the signing folder is said to expire, by its file.
_CERTIFICATES: Final = {"document.pem": "document", "origin.pem": "origin", "saml-sp.crt": "saml_sp"}


class Company(StrEnum):
    """Classes of companies by their people."""

    SMALL = "up_to_99"
    MEDIUM = "up_to_999"
    LARGE = "from_1000"


def class_of(people: int) -> Company:
    """Return the class of a company with so many people."""
    return Company.SMALL if people < 100 else Company.MEDIUM if people < 1000 else Company.LARGE


def _gauge(name: str, says: str, labels: tuple[str, ...] = ()) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"headshots_{name}", says, labels=labels)


def _one(name: str, says: str, value: float) -> GaugeMetricFamily:
    family = _gauge(name, says)
    family.add_metric([], value)
    return family


def _age(moment: datetime | None) -> float:
    """Return the seconds since `moment`; 0 where there is none."""
    return max(0.0, (now() - moment).total_seconds()) if moment is not None else 0.0


def queue() -> Iterator[GaugeMetricFamily]:
    """Work that is due and not done, by who waits for it."""
    labels = ("lane", "company")
    families = (
        _gauge("queue_jobs", "Work that is due and not done", labels),
        _gauge("queue_oldest_seconds", "Age of the oldest work that is due and not done", labels),
        _gauge("queue_failing_jobs", "Work that has failed and is tried again", labels),
        _gauge("queue_held_jobs", "Work that waits for something outside that is away", labels),
    )
    held: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0] * 4)
    for known in Lane:
        for company in Company:
            _ = held[known, company]  # said from the start, so that an empty lane is a nought
    for figure in Lookup.queue_figures():
        # A newer release may have left work that this one has no name for.
        lane = lane_of(JobName(figure.job)).value if figure.job in set(JobName) else "unknown"
        counts = held[lane, class_of(figure.people)]
        counts[0] += figure.waiting
        counts[1] = max(counts[1], _age(figure.since))
        counts[2] += figure.failing
        counts[3] += figure.held
    for key, values in held.items():
        for family, value in zip(families, values, strict=True):
            family.add_metric(key, value)
    yield from families


def promises() -> Iterator[GaugeMetricFamily]:
    """What is owed to people and auditors, and how old the oldest of it is."""
    deletion, certificate, event = Lookup.oldest_owed()
    keys_ = vault().keys
    yield _one(
        "oldest_overdue_deletion_seconds", "Age of the oldest deletion asked for and not done", _age(deletion)
    )
    yield _one(
        "oldest_uncertified_erasure_seconds",
        "Age of the oldest erasure without its complete certificate, less the time for which a key service keeps an old key",
        max(0.0, _age(certificate) - keys_.waiting(keys_.current_epoch()[0]).total_seconds()),
    )
    yield _one("oldest_unsequenced_seconds", "Age of the oldest event that is in no log yet", _age(event))


def logs() -> Iterator[GaugeMetricFamily]:
    """Whether companies' logs are what was signed, and how long ago the last of them was looked at as a whole."""
    watches = vault().keys.watches
    yield _one("logs_differing", "Companies whose evidence log is not what was signed", watches.differing())
    yield _one(
        "log_look_age_seconds",
        "Seconds since every log was held against what was signed as a whole; since the first look began, before that",
        _age(watches.longest_uncovered()),
    )


def keys() -> Iterator[GaugeMetricFamily]:
    """The epoch, and the room that the keyring has for the next."""
    _, opened = vault().keys.current_epoch()
    yield _one("epoch_age_seconds", "Age of the current epoch key", _age(opened))
    yield _one(
        "key_deletions_taken_back",
        "Epoch keys whose deletion somebody took back at the key service",
        len(vault().keys.taken_back()),
    )
    if settings().kms_url:
        return
    room = shutil.disk_usage(settings().keyring_path)
    yield _one("keyring_free_bytes", "Bytes free where the epoch keys lie", room.free)
    yield _one("keyring_size_bytes", "Bytes of the volume where the epoch keys lie", room.total)


def backup() -> Iterator[GaugeMetricFamily]:
    """The newest whole backup and the newest good drill, or how long the installation has gone without one."""
    made = installation()
    yield _one(
        "backup_age_seconds",
        "Age of the newest whole backup by `headshots backup`; of the installation, where there is none",
        _age(made.backup_at or made.created_at),
    )
    yield _one(
        "drill_age_seconds",
        "Age of the newest restore that was tried and found good by `headshots drill restore`; of the installation, where there is none",
        _age(made.drill_at or made.created_at),
    )


def attestation() -> Iterator[GaugeMetricFamily]:
    """How long nobody has attested that no backup holds the epoch keys."""
    standing = attestations.standing()
    since = standing.newest.created_at if standing.newest is not None and standing.same_place else None
    yield _one(
        "attestation_age_seconds",
        "Age of the newest attestation that no backup holds the epoch keys where they lie now; of the installation, where there is none",
        _age(since or installation().created_at),
    )


def certificates() -> Iterator[GaugeMetricFamily]:
    """When the first certificate of each use expires."""
    family = _gauge(
        "certificate_expiry_timestamp_seconds",
        "Unix time when the first certificate of this use expires",
        ("use",),
    )
    for file, use in _CERTIFICATES.items():
        path = settings().signing_path / file
        if path.exists():
            family.add_metric([use], min(expiries(path)))
    if idps := [expiry for text in Lookup.idp_certificates() if (expiry := _expiry(text)) is not None]:
        family.add_metric(["saml_idp"], min(idps))
    yield family


def expiries(path: Path) -> list[float]:
    """Return the Unix times when the certificates in a PEM file expire."""
    return [one.not_valid_after_utc.timestamp() for one in x509.load_pem_x509_certificates(path.read_bytes())]


@lru_cache(maxsize=10_000)
def _expiry(pem: str) -> float | None:
    try:
        return x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc.timestamp()
    except ValueError:  # sign-in says so; here it has no date
        return None


def gpus() -> Iterator[GaugeMetricFamily]:
    """The workers that hold an image model."""
    workers = gpu.alive()
    yield _one("gpu_workers", "Workers that hold an image model", len(workers))
    yield _one("gpu_memory_used_bytes", "Bytes used of their GPUs", sum(one.memory_used for one in workers))
    yield _one("gpu_memory_total_bytes", "Bytes of their GPUs", sum(one.memory_total for one in workers))


Figure = Callable[[], Iterator[GaugeMetricFamily]]
# Seconds for which each counts. Workers are started and stopped by the queue; who waits for the others waits for hours,
# and at 100,000 erasures the oldest without a certificate takes half a second to find.
FIGURES: Final[Mapping[Figure, float]] = {
    queue: EVERY_SECONDS,
    promises: 60.0,
    logs: 60.0,
    keys: 60.0,
    backup: 60.0,
    attestation: 60.0,
    certificates: 300.0,
    gpus: EVERY_SECONDS,
}


class Figures(Collector):
    """The figures as they were last taken."""

    def __init__(self, figures: Mapping[Figure, float] = FIGURES) -> None:
        self._figures = figures
        self._known: dict[Figure, tuple[list[GaugeMetricFamily], float]] = {}  # and time.monotonic()
        self._taken: tuple[list[GaugeMetricFamily], float] = ([], 0.0)  # and time.monotonic()

    def take(self) -> None:
        """Take those whose time is over; one that cannot be had is left out, and said."""
        begun, moment = time.perf_counter(), time.monotonic()
        families: list[GaugeMetricFamily] = []
        missing = _gauge("figure_missing", "Whether a group of figures could not be taken", ("figure",))
        for figure, seconds in self._figures.items():
            # A duty begins a little later each time, never earlier; half its pause is nearer to now than to the next.
            if figure not in self._known or moment - self._known[figure][1] > seconds - EVERY_SECONDS / 2:
                self._known.pop(figure, None)
                try:
                    self._known[figure] = (list(figure()), moment)
                except Exception as error:  # noqa: BLE001 - whatever it is, the others can still be had
                    logger().error("figure_missing", code=figure.__name__, exc_info=error)
            missing.add_metric([figure.__name__], figure not in self._known)
            if figure in self._known:
                families += self._known[figure][0]
        families.append(missing)
        families.append(_one("figures_timestamp_seconds", "Unix time of these figures", now().timestamp()))
        families.append(_one("figures_seconds", "Seconds that taking them took", time.perf_counter() - begun))
        self._taken = (families, moment)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Return what was taken last, and nothing that is out of date."""
        families, moment = self._taken
        if time.monotonic() - moment <= STALE_SECONDS:
            yield from families


@cache
def figures() -> Figures:
    """Return the process's figures; from then on its `/metrics` has them."""
    made = Figures()
    REGISTRY.register(made)
    return made

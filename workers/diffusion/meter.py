"""What work costs: seconds of a GPU and, where NVIDIA's library tells, the energy it took."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Any, Final, Self

import torch

_MILLIJOULES_PER_WATT_HOUR: Final = 3_600_000


@dataclass(slots=True)
class Meter:
    """Measures a `with` block.

    Attributes:
        seconds: Wall clock.
        watt_hours: Of the whole GPU; `None` without NVML. Volta and newer count energy themselves.
    """

    seconds: float = 0.0
    watt_hours: float | None = None
    _began: float = 0.0
    _energy: int | None = None

    def __enter__(self) -> Self:
        self._began, self._energy = time.perf_counter(), _millijoules()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.seconds = time.perf_counter() - self._began
        after = _millijoules()
        if after is not None and self._energy is not None:
            self.watt_hours = (after - self._energy) / _MILLIJOULES_PER_WATT_HOUR


@cache
def _gpu() -> tuple[Any, Any] | None:
    """Return NVML and this process's GPU; `None` where either is missing.

    By its UUID: NVML counts all GPUs of the machine, whichever of them this process may see.
    """
    try:
        import pynvml

        pynvml.nvmlInit()
        uuid = torch.cuda.get_device_properties(torch.cuda.current_device()).uuid
        return pynvml, pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
    except Exception:  # noqa: BLE001 - the library raises its own, and its loader others; the figure is a nicety
        return None


def _millijoules() -> int | None:
    found = _gpu()
    if found is None:
        return None
    nvml, handle = found
    try:
        return int(nvml.nvmlDeviceGetTotalEnergyConsumption(handle))
    except nvml.NVMLError:
        return None

"""Load every model and compile every kernel, so that the first person of a process waits for nothing."""

from __future__ import annotations

from workers.vision import covering, faces, likeness, matting


def warm() -> None:
    """Warm this process.

    About a second; the first time on a machine about 40 s, because numba compiles PyMatting's kernels
    and keeps them beside the package or in `NUMBA_CACHE_DIR`.
    """
    faces.warm()
    covering.warm()
    likeness.warm()
    matting.warm()

#!/bin/sh
# The root is read-only and /tmp is memory. numba asks to be able to write where it reads what it compiled.
set -eu
[ -d "$NUMBA_CACHE_DIR" ] || cp -R /opt/headshots/kernels "$NUMBA_CACHE_DIR"
exec /opt/headshots/venv/bin/headshots "$@"

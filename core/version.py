"""The product's version, as certificates name it."""

from __future__ import annotations

from importlib.metadata import version

VERSION = version("headshots")

"""The main database's schema, step by step."""

from __future__ import annotations

from pathlib import Path
from typing import Final

# The newest step, whose number its file begins with: what this release needs at least.
HEAD: Final = max(step.name[:4] for step in Path(__file__).parent.glob("versions/[0-9]*.py"))

"""Says which font packages a machine lacks; `setup.sh` runs it with any Python, before anything is installed.

Names of people and companies are written in every script, and a letter without a font cannot be printed.
Asked of fontconfig, so fonts that are there already count, whatever package they came from.
"""

from __future__ import annotations

import sys

from core.fonts import covering

# Script → letters that a font for it has, and a Debian and Ubuntu package with all of them: OFL or Apache-2.0, and
# the smallest that reads well (25 MB to fetch, all of them; fonts-noto-core and fonts-noto-cjk would be 69).
SCRIPTS = {
    "Latin": ("éøłếʼ", "fonts-dejavu-core"),
    "Greek": ("Ωά", "fonts-dejavu-core"),
    "Cyrillic": ("Жї", "fonts-dejavu-core"),
    "Hebrew": ("ש", "fonts-dejavu-core"),
    "Arabic": ("عپ", "fonts-dejavu-core"),
    "Devanagari": ("कृ", "fonts-noto-ui-core"),
    "Thai": ("กำ", "fonts-noto-ui-core"),
    "Chinese": ("汉漢", "fonts-droid-fallback"),
    "Japanese": ("桜あア", "fonts-droid-fallback"),
    "Korean": ("한힣", "fonts-nanum"),
    "emoji": ("🎉", "fonts-noto-color-emoji"),
}


def missing_packages() -> list[str]:
    """Return the packages to install, each once."""
    return sorted({package for letters, package in SCRIPTS.values() if covering(letters) is None})


if __name__ == "__main__":
    sys.stdout.write(" ".join(missing_packages()) + "\n")

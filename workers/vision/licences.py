"""Networks that a paid service may not use: by name and, where somebody renamed one, by content."""

from __future__ import annotations

import re
from typing import Final

NO_COMMERCE: Final = "its licence does not allow a paid service"
RESEARCH: Final = "its weights are for non-commercial research only (insightface issues 1242 and 2486)"
# Pattern in a file's, folder's or hub id's name → why it is refused (docs/sources.md, Networks of your own).
BY_NAME: Final[tuple[tuple[str, str], ...]] = (
    (r"rmbg[-_ ]?(v)?2|bria[-_ ]?rmbg", f"RMBG 2.0 is CC BY-NC: {NO_COMMERCE}"),
    (r"antelopev2|buffalo[-_](l|m|s|sc)\b|insightface|w600k[-_]", f"InsightFace models: {RESEARCH}"),
    (r"mat[-_ ]?anyone", f"MatAnyone: {NO_COMMERCE}"),
    (r"edge[-_ ]?face", f"EdgeFace is CC BY-NC-SA: {NO_COMMERCE}"),
)
# SHA-256 → why. The recogniser of `antelopev2` is named `glintr100.onnx` like AuraFace's, and is not it.
BY_CONTENT: Final = {
    "4ab1d6435d639628a6f3e5008dd4f929edf4c4124b1a7169e1048f9fef534cdf": f"glintr100 of antelopev2: {RESEARCH}",
    "4c06341c33c2ca1f86781dab0e829f88ad5b64be9fba56e56bc9ebdefc619e43": f"w600k_r50 of buffalo_l: {RESEARCH}",
}


def refusal(name: str, digest: str = "") -> str | None:
    """Return why weights may not be used; `None` where nothing is known against them.

    Args:
        name: Of a file, a folder or on the hub.
        digest: SHA-256 of the content in hexadecimal digits.
    """
    if digest in BY_CONTENT:
        return BY_CONTENT[digest]
    return next((why for pattern, why in BY_NAME if re.search(pattern, name, re.IGNORECASE)), None)

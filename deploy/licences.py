"""`python -m deploy.licences`: write docs/licences.md, and end with 1 where something may not ship.

What ships is what deploy/locks names for servers and images; the `dev` extra never does. A package says its licence
itself; where it says it in words that no program reads, or bundles libraries under other licences than its own, the
tables here say what reading its files gave.
"""

from __future__ import annotations

import importlib.metadata
import re
import sys
from importlib.metadata import PackageMetadata
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "licences.md"
SHIPPED = {
    "default": "every server",
    "onnx": "with a matting network of yours",
    "otel": "with traces to a collector of yours",
    "aws": "with the epoch keys in AWS KMS",
    "gpu": "GPU hosts",
    "torch": "GPU hosts",
    "local": "`make demo` and `make run` only, never a server or an image",
}
NVIDIA = "LicenseRef-NVIDIA-CUDA-EULA"

# What the classifiers of packages without a licence expression mean.
CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}
# Read in the package's own files.
READ = {
    "async-timeout": "Apache-2.0",
    "brotlicffi": "MIT",
    "c2pa-python": "MIT OR Apache-2.0",
    "certifi": "MPL-2.0",
    "cuda-bindings": NVIDIA,
    "cuda-pathfinder": "Apache-2.0",
    "cuda-toolkit": NVIDIA,
    "dlib-bin": "BSL-1.0",
    "flatbuffers": "Apache-2.0",
    "headshots": "LicenseRef-Proprietary",
    "matplotlib": "PSF-2.0",
    "opencv-contrib-python": "Apache-2.0 AND LGPL-2.1-or-later AND LGPL-3.0-only",
    "pi-heif": "BSD-3-Clause AND LGPL-3.0-or-later",
    "pyphen": "MPL-1.1 OR LGPL-2.1-or-later OR GPL-2.0-or-later",
    "protobuf": "BSD-3-Clause",
    "tqdm": "MPL-2.0 AND MIT",
    "transformers": "Apache-2.0",
    "triton": "MIT",
}
# Why each may ship although it is under, or offers, a licence that asks for more than naming it.
REASONS = {
    "psycopg": "LGPL: imported unchanged as a library of its own, which whoever runs the product can replace",
    "psycopg-binary": "LGPL: as psycopg; the PostgreSQL client library in it is under the PostgreSQL licence",
    "pi-heif": "its own code is BSD; libheif and libde265 are LGPL, unchanged shared libraries in the wheel; no x265, which is GPL",
    "opencv-contrib-python": "brought by mediapipe; the wheel carries FFmpeg (LGPL 2.1) and Qt 5 (LGPL 3) as unchanged shared libraries, and no part under the GPL",
    "pyphen": "three licences to choose from: used under the MPL 1.1",
}
FORBIDDEN = re.compile(r"\b(AGPL|GPL|SSPL|BUSL|CC-BY-NC|LicenseRef-Non-?Commercial)\b", re.IGNORECASE)
SHARING = re.compile(r"\bLGPL\b")


def licence_of(name: str, metadata: PackageMetadata | None) -> str:
    """Return a package's licence as an SPDX expression, or `NOASSERTION` where nobody has read it yet."""
    if name in READ:
        return READ[name]
    if name.startswith("nvidia-") and name != "nvidia-ml-py":
        return NVIDIA
    if metadata is None:
        return "NOASSERTION"
    fields = metadata.json
    if expression := fields.get("license_expression"):
        return str(expression)
    said = [
        CLASSIFIERS.get(line.rpartition("::")[2].strip())
        for line in fields.get("classifier") or []
        if line.startswith("License") and not line.endswith("OSI Approved")
    ]
    if said and None not in said:
        return " AND ".join(sorted({str(one) for one in said}))
    return _short(str(fields.get("license") or ""))


def _short(words: str) -> str:
    """Return the expression that a few words mean, as many packages write them."""
    known = {
        "apache": "Apache-2.0",
        "apache 2.0": "Apache-2.0",
        "apache-2.0": "Apache-2.0",
        "bsd": "BSD-3-Clause",
        "bsd-3-clause": "BSD-3-Clause",
        "mit": "MIT",
    }
    return known.get(words.strip().lower(), "NOASSERTION")


def shipped() -> dict[str, tuple[str, set[str]]]:
    """Return each package of the locks that ship: its licence, and for what it is there."""
    found: dict[str, tuple[str, set[str]]] = {}
    for lock, where in SHIPPED.items():
        text = (ROOT / "deploy" / "locks" / f"{lock}.txt").read_text()
        for name in re.findall(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^]]*\])?==", text, re.MULTILINE):
            _, places = found.setdefault(name, (licence_of(name, _metadata(name)), set()))
            places.add(where)
    return found


def _metadata(name: str) -> PackageMetadata | None:
    try:
        return importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def may_ship(name: str, licence: str) -> bool:
    """Whether a package's licence lets it be part of the product: one of its choices is enough."""
    choices = [part for part in licence.split(" OR ") if not FORBIDDEN.search(part.replace("LGPL", ""))]
    return bool(choices) and licence != "NOASSERTION" and (not SHARING.search(licence) or name in REASONS)


def page(packages: dict[str, tuple[str, set[str]]]) -> str:
    """Return docs/licences.md."""
    rows = [
        f"| {name} | {licence} | {'; '.join(sorted(places))} |"
        for name, (licence, places) in sorted(packages.items())
    ]
    return "\n".join(
        [
            "<!-- Written by `python -m deploy.licences`; change the code, not this. -->",
            "",
            "# Licences",
            "",
            "What ships, as `deploy/locks` names it. Nothing is under the GPL, the AGPL or a licence for non-commercial use only; NVIDIA's CUDA libraries,",
            "on GPU hosts alone, are closed and free to redistribute with a product. Weights are yours to choose; see [the image model](image-model.md).",
            "",
            "| package | why it may ship |",
            "|---|---|",
            *(f"| {name} | {reason} |" for name, reason in sorted(REASONS.items()) if name in packages),
            "",
            "| package | licence | where |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def main() -> None:
    """Write the page, and name what may not ship."""
    packages = shipped()
    PAGE.write_text(page(packages))
    refused = [f"{name}: {licence}" for name, (licence, _) in packages.items() if not may_ship(name, licence)]
    if refused:
        sys.exit("may not ship: " + "; ".join(refused))


if __name__ == "__main__":
    main()

"""What `headshots verify` does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from compliance.verify import Verification, verify_consistency, verify_file
from core.errors import ConfigurationError, InvalidInput
from deploy.cli.photos import Report

# The check that fails when the keys are another installation's.
SIGNER = "signer trusted"


def verify_files(files: Sequence[Path], keys: Path | None, home: Path, report: Report) -> bool:
    """Verify evidence offline; return whether all of it holds.

    Raises:
        ConfigurationError: no keys were given, and those on this machine belong to another installation.
    """
    published, source = _published_keys(keys, home)
    good = True
    for path in files:
        result = verify_file(path, published)
        if keys is None and any(one.name == SIGNER and not one.ok for one in result.checks):
            raise ConfigurationError(
                f"{path} was not signed by the installation whose keys are in {source}, the only ones on this "
                "machine. That alone proves nothing: give the keys.json of the company it names with --keys."
            )
        good &= result.ok
        _say(path, result, source, report)
    return good


def verify_pair(
    old: Path, new: Path, proof: Path | None, keys: Path | None, home: Path, report: Report
) -> bool:
    """Verify offline that a later checkpoint continues an earlier one; return whether it does.

    Raises:
        ConfigurationError: no keys were given, and there are none on this machine.
    """
    published, source = _published_keys(keys, home)
    result = verify_consistency(old, new, proof, published)
    _say(new, result, source, report)
    return result.ok


def _say(path: Path, result: Verification, source: Path, report: Report) -> None:
    word = f"{result.status or 'valid'}, unchanged" if result.ok else "REJECTED"
    lines = [f"{'✓' if result.ok else '✗'} {path}: {word}"]
    lines += [f"    {'✓' if one.ok else '✗'} {one.name}: {one.detail}" for one in result.checks]
    lines.append(f"    checked with the keys in {source}")
    report(
        {
            "file": str(path),
            "ok": result.ok,
            "kind": result.kind,
            "status": result.status,
            "keys": str(source),
            "checks": [{"name": one.name, "ok": one.ok, "detail": one.detail} for one in result.checks],
        },
        "\n".join(lines),
    )


def _published_keys(keys: Path | None, home: Path) -> tuple[dict[str, Any], Path]:
    """Read the keys given, or else those that `up` or `demo` published on this machine.

    Never a file that merely lies beside the evidence: who forges one would forge the other.
    """
    candidates = [keys] if keys else [home / "published-keys.json", home / "demo" / "published-keys.json"]
    for candidate in candidates:
        if candidate.exists():
            try:
                value = json.loads(candidate.read_text(encoding="utf-8"))
            except ValueError as error:
                raise InvalidInput(f"{candidate} is not a keys file: it is no JSON.") from error
            if not isinstance(value, dict):
                raise InvalidInput(f"{candidate} is not a keys file.")
            return value, candidate
    raise ConfigurationError(
        "Which keys should this be checked with? Download keys.json from the company's trust page once, "
        "keep it, and give it with --keys."
    )

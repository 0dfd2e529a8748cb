"""What `verify` does: evidence and pictures in, what holds on stdout; offline."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from compliance.log.cosignature import CosignerKey
from compliance.log.note import NoteError
from compliance.opening import found_in
from compliance.origin.reading import media_type_of
from compliance.origin.signer import FILE as ORIGIN
from compliance.origin.signer import load
from compliance.signing import PublishedKeys, PublishedSigner
from compliance.verify import Claim, Kind, Verification, verify_consistency, verify_file
from core.errors import ConfigurationError, InvalidInput
from core.portraits import marks

Report = Callable[[dict[str, Any], str], None]

# The check that fails when the keys are another installation's.
SIGNER = "signer trusted"


def verify_files(
    files: Sequence[Path],
    keys: Path | None,
    home: Path,
    report: Report,
    witnesses: Sequence[str] = (),
    claim: Claim | None = None,
) -> bool:
    """Verify evidence offline; return whether all of it holds.

    Raises:
        ConfigurationError: no keys were given, and those on this machine belong to another installation.
        InvalidInput: what is said to be a witness's key is none.
    """
    try:
        trusted = [CosignerKey.parse(one) for one in witnesses]
    except NoteError as error:
        raise InvalidInput(f"--witness: {error}.") from error
    good = True
    for path in files:
        published, source = _keys_for(path, keys, home)
        result = verify_file(path, published, trusted, claim)
        if keys is None and any(one.name == SIGNER and not one.ok for one in result.checks):
            raise ConfigurationError(
                f"{path} was not signed by the installation whose keys are in {source}, the only ones on this "
                "machine. That alone proves nothing: give the keys.json of the company it names with --keys."
            )
        good &= result.ok
        _say(path, result, source, report)
    return good


def claim_of(receipt: Path, address: str) -> Claim:
    """Return whose a certificate has to be.

    Raises:
        InvalidInput: the file holds no receipt, an old one that opens nothing, or several.
    """
    opening = found_in(receipt.read_text(encoding="utf-8", errors="replace"))
    if opening is None:
        raise InvalidInput(
            f"{receipt} does not hold one whole receipt. Save the mail, or put the page's address in a file: it looks like "
            "https://…/erased/ with 64 letters after it. One of 32 letters is from before and opens nothing."
        )
    return Claim(opening, address)


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
    refused = "NOT SIGNED" if result.kind is Kind.UNSIGNED else "REJECTED"
    word = f"{result.status or 'valid'}, unchanged" if result.ok else refused
    lines = [f"{'✓' if result.ok else '✗'} {path}: {word}"]
    lines += [f"    {'✓' if one.ok else '✗'} {one.name}: {one.detail}" for one in result.checks]
    mark = _mark(path) if result.kind is Kind.PICTURE else None
    if mark is not None:
        lines.append(f"    watermark {mark}: see /origin/{mark} at whoever handed the picture out")
    lines.append(f"    checked with the keys in {source}")
    report(
        {
            "file": str(path),
            "ok": result.ok,
            "kind": result.kind,
            "status": result.status,
            "watermark": mark,
            "keys": str(source),
            "checks": [{"name": one.name, "ok": one.ok, "detail": one.detail} for one in result.checks],
        },
        "\n".join(lines),
    )


def _keys_for(path: Path, keys: Path | None, home: Path) -> tuple[dict[str, Any], Path]:
    """Return what a file is checked with: of a picture that was made here with `render`, this machine's own signer."""
    own = home / "signing"
    if keys is None and _is_picture(path) and (own / ORIGIN).exists():
        signer = PublishedSigner.of(load(own))
        made_here = PublishedKeys(format="headshots.keys/1", logs=(), documents=(), pictures=(signer,))
        try:
            published, source = _published_keys(keys, home)
        except ConfigurationError:
            return made_here.model_dump(mode="json"), own / ORIGIN
        pictures = [*published.get("pictures", []), *made_here.model_dump(mode="json")["pictures"]]
        return published | {"pictures": pictures}, source
    return _published_keys(keys, home)


def _mark(path: Path) -> str | None:
    """Return the watermark of a picture, which outlives its credentials; `None` where it has none, or cannot be read."""
    import numpy as np
    from PIL import Image, UnidentifiedImageError

    from compliance.origin.watermark import read

    try:
        with Image.open(path, formats=("JPEG", "PNG", "WEBP", "AVIF")) as image:
            found = read(np.asarray(image.convert("RGB")))
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
    return None if found is None else marks.written(found)


def _is_picture(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return media_type_of(file.read(16)) is not None
    except OSError:
        return False


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

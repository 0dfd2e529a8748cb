"""Having witnesses cosign our checkpoints: whoever rewrites a log then has to show them another past, which they refuse.

Witnesses are listed in a file (`HEADSHOTS_WITNESSES_PATH`), one a line: its verifier key, a space, and its address
(C2SP tlog-witness, the submission prefix).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import httpx
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from compliance.log import cosignature, sequencer
from compliance.log.cosignature import CosignerKey
from compliance.log.note import NoteError
from core.clock import now
from core.db import Lookup, transaction
from core.errors import AppError, ConfigurationError
from core.logs import fault, logger
from core.models import Checkpoint, CosignatureRow
from core.settings import settings

SECONDS: Final = 10.0  # a witness that hangs holds the duty, and nobody else
MOST_SECONDS: Final = (
    30.0  # for a whole answer: one that comes byte by byte would keep the other witnesses waiting
)
MOST_BYTES: Final = 100_000  # an answer is a few lines


@dataclass(frozen=True)
class Known:
    """A witness, with its keys: one address may have several."""

    address: str
    keys: tuple[CosignerKey, ...]


def known(path: Path | None) -> list[Known]:
    """Return the witnesses in a file; none where there is none.

    Raises:
        ConfigurationError: a line cannot be read.
    """
    if path is None:
        return []
    found: dict[str, list[CosignerKey]] = {}
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"HEADSHOTS_WITNESSES_PATH: {path} cannot be read.") from error
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            if len(words) != 2 or not words[1].startswith(("https://", "http://")):
                raise NoteError("it is a verifier key, a space, and an address")
            found.setdefault(words[1].rstrip("/"), []).append(CosignerKey.parse(words[0]))
        except NoteError as error:
            raise ConfigurationError(f"HEADSHOTS_WITNESSES_PATH: {path}, line {number}: {error}.") from error
    return [Known(address, tuple(keys)) for address, keys in found.items()]


def cosigned(session: Session, signed: Checkpoint) -> str:
    """Return a checkpoint with the lines of the witnesses who have cosigned it."""
    lines = (
        select(CosignatureRow.line).where(CosignatureRow.size == signed.size).order_by(CosignatureRow.witness)
    )
    return signed.note + "".join(session.scalars(lines))


def ask_all() -> int:
    """Have every witness cosign each company's newest checkpoint that it has not seen; return how many lines came."""
    witnesses = known(settings().witnesses_path)
    if not witnesses:
        return 0
    came = 0
    with httpx.Client(timeout=SECONDS, follow_redirects=False, trust_env=False) as client:
        for witness in witnesses:
            for org_id in Lookup.organizations():
                try:
                    came += _ask(client, witness, org_id)
                except (httpx.HTTPError, NoteError, AppError) as error:
                    # The others go on, and the next round asks again.
                    logger().warning("witness_gave_none", witness=witness.keys[0].name, error=fault(error))
                    if isinstance(error, httpx.TransportError):
                        break  # it does not answer: neither for the next company
    return came


def _ask(client: httpx.Client, witness: Known, org_id: UUID) -> int:
    names = [str(key) for key in witness.keys]
    with transaction(org_id) as session:
        newest = session.scalar(select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1))
        seen = (
            session.scalar(select(func.max(CosignatureRow.size)).where(CosignatureRow.witness.in_(names)))
            or 0
        )
        if newest is None or newest.size <= seen:
            return 0
        size, note = newest.size, newest.note
    answer = _send(client, witness, org_id, seen, size)
    if answer.status_code == httpx.codes.CONFLICT:
        told = answer.text.strip()
        # It saw more, or less, than we know of: after a restore, or where an answer was lost.
        if told.isascii() and told.isdigit() and len(told) < 20 and int(told) != seen and int(told) <= size:
            answer = _send(client, witness, org_id, int(told), size)
    if answer.status_code != httpx.codes.OK:
        raise NoteError(f"HTTP {answer.status_code}: {answer.text[:150].strip()}")
    lines = answer.text
    given = cosignature.verify(note + lines, witness.keys)
    if not given:
        raise NoteError("it answered with no cosignature of its keys")
    by_id = {(key.name, key.key_id): key for key in witness.keys}
    with transaction(org_id) as session:
        for line in lines.splitlines():
            key = by_id.get((line.split(" ")[1], cosignature.key_id_of(line)))
            if key is not None:
                session.execute(
                    insert(CosignatureRow)
                    .values(org_id=org_id, size=size, witness=str(key), line=f"{line}\n", created_at=now())
                    .on_conflict_do_nothing()
                )
    return len(given)


def _send(client: httpx.Client, witness: Known, org_id: UUID, old: int, size: int) -> httpx.Response:
    with transaction(org_id) as session:
        proof = sequencer.prove_consistency(session, old, size)
    content = proof.encode().encode()
    over = time.monotonic() + MOST_SECONDS
    with client.stream("POST", f"{witness.address}/add-checkpoint", content=content) as answer:
        body = b""
        for part in answer.iter_bytes():
            body += part
            if len(body) > MOST_BYTES:
                raise NoteError("its answer is too long")
            if time.monotonic() > over:
                raise httpx.ReadTimeout("its answer takes too long")
    return httpx.Response(answer.status_code, content=body)

"""What became of each row of a list that was imported: kept sealed for an hour, to take home as a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from core.clock import now
from core.models import Artifact, RosterImport
from core.people import tabular
from core.people.roster import Roster
from core.people.rows import Reason, Row, Verdict
from core.shoots import imports
from core.vault import Held, Sealed, vault

COLUMNS: Final = (*imports.COLUMNS[:-1], "result", "reason")
_RESULT: Final = COLUMNS.index("result")
RESULTS: Final = {
    Verdict.OK: "invited",
    Verdict.WARNING: "invited",
    Verdict.SKIPPED: "already there",
    Verdict.REJECTED: "refused",
}


class Result(BaseModel):
    """What lies in the vault once a list is done: the rows of its file to take home, with what became of each."""

    model_config = ConfigDict(frozen=True)

    rows: list[tuple[str, ...]]  # as `COLUMNS`


def of(parsed: Roster, outcomes: Sequence[Sequence[str]]) -> Result:
    """Return every row with its result.

    Args:
        parsed: the list.
        outcomes: for each of its rows the codes of what was to be said of it.
    """
    done = [
        Row(one.line, one.values, tuple(map(Reason, reasons)))
        for one, reasons in zip(parsed.rows, outcomes, strict=True)
    ]
    return Result(rows=[(*imports.cells(one), RESULTS[one.verdict], one.text) for one in done])


def seal(org_id: UUID, result: Result) -> Sealed:
    """Seal a result, before the transaction that finishes its list."""
    return imports.seal_list(org_id, result)


def is_here(session: Session, artifact_id: UUID) -> bool:
    """Whether a result is here and its hour is not over: it is deleted some time after that."""
    artifact = session.get(Artifact, artifact_id, populate_existing=True)
    return (
        artifact is not None
        and artifact.delete_requested_at is None
        and artifact.created_at > now() - imports.KEPT_FOR
    )


def find(session: Session, shoot_id: UUID, import_id: UUID) -> Held:
    """Return where the result of a list lies, for `read_csv`.

    Raises:
        ImportGone: it is not done, or an hour has passed.
    """
    row = session.get(RosterImport, import_id)
    if row is None or row.shoot_id != shoot_id or row.result_id is None:
        raise imports.gone()
    if not is_here(session, row.result_id):
        raise imports.gone()
    return vault().find(session, row.result_id)


def read_csv(held: Held, *, refused_only: bool = False) -> bytes:
    """Return every row of a list that is done, with its result and the reason, outside of `find`'s transaction.

    Raises:
        ImportGone: it was deleted meanwhile.
        Unavailable: the storage does not answer.
    """
    kept = Result.model_validate_json(imports.opened(held))
    refused = RESULTS[Verdict.REJECTED]
    return tabular.write(COLUMNS, (one for one in kept.rows if not refused_only or one[_RESULT] == refused))

"""Tell the program that asked how far its request is."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from compliance.requests import moves
from compliance.requests.opendsr import answering, signing
from core import audit
from core.errors import NotFound
from core.logs import logger
from workers.process.runner import JobRun


def run(job: JobRun) -> None:
    """Tell every address; one that was told already is told again where another one failed.

    Raises:
        NotTold: trying again can help.
    """
    signer = signing.signer()
    status, owed = "", list[tuple[str, bytes]]()
    if signer is not None:
        with job.step() as session:
            status, owed = answering.callbacks(session, job.subject_id, signer.domain)
        for url, content in owed:
            answering.tell(url, content, signer)
    with job.finish() as session:
        if status:
            answering.told(session, job.subject_id, status)


def failed(session: Session, subject_id: UUID, code: str) -> None:
    """Say in the request's timeline that the program was not told."""
    logger().error("opendsr_callback_not_told", code=code)
    try:
        row = moves.get(session, subject_id, lock=True)
    except NotFound:
        return  # it is no longer kept
    moves.note(session, row, "callback_undelivered", actor=audit.SYSTEM, code=code)

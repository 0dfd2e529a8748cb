"""What is done for people behind the pages: a thin module for each name in `core.queue.JobName`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from workers.process.runner import JobRun


class Job(Protocol):
    """What a module here has."""

    def run(self, job: JobRun) -> None:
        """Do the work: it may come twice, and commits its result with `JobRun.finish`.

        Raises:
            Permanent: trying again cannot help.
        """

    def failed(self, session: Session, subject_id: UUID, code: str) -> None:
        """Leave nobody waiting: decide what people see of work that is given up.

        What is in `core.owed.UNTIL_DONE` is given up only for good reason, such as an address that does not exist, or
        by an operator.

        Args:
            session: bound to the organization; giving up commits with it.
            subject_id: what the work was about; it may be gone.
            code: why; stable.
        """

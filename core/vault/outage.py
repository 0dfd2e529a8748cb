"""What the vault's storage and keyring say when they do not answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from obstore.exceptions import BaseError

from core.errors import Unavailable
from core.logs import logger
from core.observe import metrics
from core.reasons import Reason, reason_of
from core.words import N_

AWAY = N_(
    "The storage does not answer. What you saved before is safe, this last step was not done: please try again in a moment."
)


class Outage(Unavailable):
    """The storage or the keyring does not answer.

    Attributes:
        part: which of the two: `storage` or `keyring`.
        reason: why, for the operator; who is at a page can only wait, whatever it is.
    """

    def __init__(self, message: str, part: str, reason: Reason) -> None:
        super().__init__(message)
        self.part = part
        self.reason = reason


@contextmanager
def answering(part: str) -> Iterator[None]:
    """Turn whatever `part`, the storage or the keyring, raises when it is full, closed to us or away.

    That nothing has a name is an answer: who asks for one catches that inside.

    Raises:
        Outage: it does not answer; trying again may help.
    """
    try:
        yield
    except (BaseError, OSError) as error:
        metrics.PART_ERRORS.labels(part).inc()
        reason = reason_of(error)
        logger().error(f"{part}_unavailable", code=reason, exc_info=error)
        raise Outage(AWAY, part, reason) from error

"""Doing something for one company after the other, so that the trouble of one is not the trouble of all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from uuid import UUID

from core.db import DirectoryEmpty
from core.logs import logger


def each(companies: Iterable[UUID], do: Callable[[UUID], object]) -> list[Exception]:
    """Do something for each company; one that fails is said and does not keep those behind it waiting.

    Returns:
        What they failed with, for the caller to raise once everything else is done.
    """
    failures: list[Exception] = []
    for org_id in companies:
        try:
            do(org_id)
        except DirectoryEmpty as error:  # everybody's, and over in seconds: the duty says it once
            failures.append(error)
            break
        except Exception as error:  # noqa: BLE001 - said here, and by the duty that fails
            logger().error("company_left_out", org=str(org_id), exc_info=error)
            failures.append(error)
    return failures

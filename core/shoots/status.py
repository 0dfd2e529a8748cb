"""How far everybody of a shoot is, as a table to take home: at any moment, and of any size."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.models import Member, Participation, Shoot, State
from core.people import finding
from core.words import N_

HEADER: Final = (
    N_("Employee ID"), N_("First name"), N_("Last name"), N_("Email"), N_("Department"), N_("State"), N_("Since"), N_("Finished"),
    N_("Downloaded by the company")
)  # fmt: skip
Row = tuple[str | date | None, ...]
_WIDTHS: Final = (14, 18, 22, 34, 20, 20, 12, 12, 14)  # characters


def rows(
    session: Session, shoot: Shoot, word: Callable[[State], str], *, form: str, actor: audit.Actor
) -> list[Row]:
    """Return a row for each person of a shoot who was not erased, as `HEADER`, and note that the company took the list.

    Args:
        session: bound to the organization.
        shoot: whose people.
        word: says what a state is called.
        form: of the file, for the log.
        actor: who takes it.
    """
    found = list(_rows(session, shoot.id, word))
    audit.record(
        session, audit.Tag.SHOOT_LISTED, actor=actor, shoot=str(shoot.id), people=len(found), form=form
    )
    return found


def _rows(session: Session, shoot_id: UUID, word: Callable[[State], str]) -> Iterator[Row]:
    query = (
        select(Participation, Member)
        .join(Member, Member.id == Participation.member_id)
        .where(Participation.shoot_id == shoot_id, Member.erased_at.is_(None))
        .order_by(*finding.ORDER)
    )
    for one, member in session.execute(query).yield_per(1000):
        state = one.seen_by_company
        finished = one.approved_at if one.chosen_headshot_id is not None else None
        yield (
            member.employee_id or "",
            member.first_name or "",
            member.last_name or "",
            member.email or "",
            member.department or "",
            word(state),
            one.changed_at.date(),
            finished.date() if finished else None,
            one.archived_at.date() if one.archived_at else None,
        )


def workbook(title: str, header: Sequence[str], found: Iterable[Row]) -> bytes:
    """Return an Excel file of one sheet, made in memory alone; every cell is text or a day, so none is ever evaluated."""
    target = io.BytesIO()
    quiet = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    import xlsxwriter  # only where a workbook is written: it is large

    with xlsxwriter.Workbook(target, quiet) as book:
        sheet = book.add_worksheet(title)
        bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
        for column, text in enumerate(header):
            sheet.write_string(0, column, text, bold)
        last = 0
        for last, row in enumerate(found, 1):
            for column, value in enumerate(row):
                if isinstance(value, date):
                    sheet.write_datetime(last, column, value, day)
                elif value is not None:
                    sheet.write_string(last, column, value)
        for column, width in enumerate(_WIDTHS):
            sheet.set_column(column, column, width)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, last, len(header) - 1)
    return target.getvalue()

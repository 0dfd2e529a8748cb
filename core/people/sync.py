"""Who joins, moves and leaves, held against a directory that HR keeps: a list, or what a program sends.

It knows nothing of files: `core.shoots.syncs` brings the rows of a list, and whatever else knows a company's people can
bring them the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models import Member, Role
from core.people import addresses
from core.people.facts import Fact, Facts

# What a directory says better than the person; where they work and in which language they are written to, they say.
FOLLOWED: Final = (Fact.EMAIL, Fact.FIRST_NAME, Fact.LAST_NAME, Fact.EMPLOYEE_ID, Fact.DEPARTMENT)


@dataclass(frozen=True)
class Entry:
    """One person as the directory has them.

    Attributes:
        line: Where they stand in it, to show.
        facts: What it says, an address among them; what it does not say is not there, and changes nothing.
        is_usable: Otherwise the person counts as mentioned, and is neither added nor changed nor taken for somebody who left.
        guessed: What is good enough for somebody new, and changes nothing of somebody known.
    """

    line: int
    facts: Facts
    is_usable: bool = True
    guessed: frozenset[Fact] = frozenset()


@dataclass(frozen=True)
class Known:
    """One person as the company has them."""

    id: UUID
    facts: Facts
    is_employee: bool
    is_off: bool

    @property
    def name(self) -> str:
        """First and last name, or the address of somebody without."""
        full = f"{self.facts[Fact.FIRST_NAME] or ''} {self.facts[Fact.LAST_NAME] or ''}".strip()
        return full or self.facts[Fact.EMAIL] or ""


@dataclass(frozen=True)
class Mover:
    """Somebody of whom the directory says something else: fact → before and after."""

    known: Known
    line: int
    changes: Mapping[Fact, tuple[str | None, str | None]]


@dataclass(frozen=True)
class Plan:
    """What following the directory would do.

    Attributes:
        joiners: In the directory and not here.
        movers: In both, and something differs.
        leavers: Here and not in the directory; employees only, whose access is on.
        unchanged: In both, and nothing differs.
        off: In the directory, while their access is switched off here; they are left alone.
        unclear: Whom address and employee ID say to be two people, or two rows one.
        unusable: Rows that cannot be read as a person.
    """

    joiners: list[Entry]
    movers: list[Mover]
    leavers: list[Known]
    unchanged: int
    off: int
    unclear: list[Entry]
    unusable: list[Entry]


def plan(session: Session, entries: Sequence[Entry]) -> Plan:
    """Hold a directory against everybody of the session's organization who was not erased."""
    everybody = _everybody(session)
    by_email = {addresses.canonical(one.facts[Fact.EMAIL] or ""): one for one in everybody}
    by_number = {number: one for one in everybody if (number := one.facts[Fact.EMPLOYEE_ID])}
    found = Plan([], [], [], 0, 0, [], [])
    unchanged = off = 0
    seen: set[UUID] = set()
    for entry in entries:
        of_number = by_number.get(entry.facts.get(Fact.EMPLOYEE_ID) or "")
        of_email = by_email.get(addresses.canonical(entry.facts.get(Fact.EMAIL) or ""))
        known = of_number or of_email
        is_twice = known is not None and known.id in seen
        seen |= {one.id for one in (of_number, of_email) if one is not None}
        if not entry.is_usable:
            found.unusable.append(entry)
        elif is_twice or (of_number and of_email and of_number.id != of_email.id):
            found.unclear.append(entry)
        elif known is None:
            found.joiners.append(entry)
        elif known.is_off:
            off += 1
        elif changes := _differing(known, entry):
            found.movers.append(Mover(known, entry.line, changes))
        else:
            unchanged += 1
    left = [one for one in everybody if one.id not in seen and one.is_employee and not one.is_off]
    return Plan(found.joiners, found.movers, left, unchanged, off, found.unclear, found.unusable)


def _everybody(session: Session) -> list[Known]:
    columns = [getattr(Member, fact) for fact in FOLLOWED]
    rows = session.execute(
        select(Member.id, Member.role, Member.disabled_at, *columns)
        .where(Member.erased_at.is_(None))
        .order_by(Member.sorted_as, Member.id)
    )
    return [
        Known(row[0], dict(zip(FOLLOWED, row[3:], strict=True)), row[1] == Role.EMPLOYEE, row[2] is not None)
        for row in rows
    ]


def _differing(known: Known, entry: Entry) -> dict[Fact, tuple[str | None, str | None]]:
    changes: dict[Fact, tuple[str | None, str | None]] = {}
    for fact in FOLLOWED:
        before, after = known.facts[fact], entry.facts.get(fact)
        if not after or after == before or fact in entry.guessed:
            continue
        if fact is Fact.EMAIL and addresses.canonical(after) == addresses.canonical(before or ""):
            continue
        changes[fact] = (before, after)
    return changes

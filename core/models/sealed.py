"""Values of a row that lie sealed in one column of it: what was measured on a face.

They are read and set like any attribute. `core.vault.columns` seals what was set when the session writes, and opens what
is asked for; once a key of theirs is destroyed they are as if nothing had ever been measured.

Until `Installation.sealed_at` a row keeps them in columns of their own, as the release before knew them: what stands
there is what counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Final, Generic, TypeVar, overload
from uuid import UUID

from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant
from core.personal import Category, personal

T = TypeVar("T")

# In the column while what was set waits for the session to write.
TO_SEAL: Final = b""

Opener = Callable[["SealedRow"], None]


class SealedValue(Generic[T]):
    """One of a row's sealed values.

    Args:
        nothing: makes what it is where nothing was set, and after erasure.
        plain: the attribute of the column that held it before.
    """

    def __init__(self, nothing: Callable[[], T], *, plain: str) -> None:
        self.nothing = nothing
        self.plain = plain

    def __set_name__(self, _owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, row: None, owner: type) -> SealedValue[T]: ...
    @overload
    def __get__(self, row: SealedRow, owner: type) -> T: ...
    def __get__(self, row: SealedRow | None, owner: type) -> SealedValue[T] | T:
        if row is None:
            return self
        before: T | None = getattr(row, self.plain)
        if before not in (None, self.nothing()):
            return before
        values = row.opened()
        value: T = values[self.name] if self.name in values else self.nothing()
        return value

    def __set__(self, row: SealedRow, value: T) -> None:
        values = {one.name: one.__get__(row, type(row)) for one in type(row).sealed_values()}
        row.keep_opened(TO_SEAL, values | {self.name: value})
        row.sealed = TO_SEAL
        setattr(row, self.plain, self.nothing())


class SealedRow(Tenant):
    """A row with sealed values."""

    __abstract__ = True
    # The attribute with the artifact that the values may have been measured on.
    measured_on: ClassVar[str | None] = None
    # Given by `core.vault.columns`.
    opener: ClassVar[Opener]

    sealed: Mapped[bytes | None] = mapped_column(info=personal(Category.FACE))

    @classmethod
    def sealed_values(cls) -> Iterator[SealedValue[Any]]:
        """Yield what lies sealed."""
        return (one for one in vars(cls).values() if isinstance(one, SealedValue))

    @classmethod
    def lies_open(cls) -> ColumnElement[bool]:
        """Return the condition that something lies in the columns from before."""
        plain = ((getattr(cls, one.plain), one.nothing()) for one in cls.sealed_values())
        return or_(
            *(column.is_not(None) if nothing is None else column != nothing for column, nothing in plain)
        )

    @property
    def owner_id(self) -> UUID:
        """Whose key seals it: the person's, or the company's for what is nobody's."""
        member_id: UUID | None = getattr(self, "member_id")  # noqa: B009 - each table declares it with its own key
        return member_id or self.org_id

    def picture(self, _values: dict[str, Any]) -> UUID | None:
        """Return the artifact that values were measured on, with whose key they end."""
        found: UUID | None = getattr(self, self.measured_on) if self.measured_on is not None else None
        return found

    def opened(self) -> dict[str, Any]:
        """Return what lies sealed, by name; what was set and not written yet too."""
        sealed = self.sealed
        if sealed is None:
            return {}
        if not self.is_opened():
            type(self).opener(self)
        kept: dict[str, Any] = self.__dict__["_opened"][1]
        return kept

    def is_opened(self) -> bool:
        """Whether what stands in the column has been opened; a row that was read anew has not."""
        known = self.__dict__.get("_opened")
        return known is not None and known[0] == self.__dict__.get("sealed")

    def keep_opened(self, sealed: bytes, values: dict[str, Any]) -> None:
        """Remember what `sealed` holds, for as long as it stands in the column."""
        self.__dict__["_opened"] = (sealed, values)

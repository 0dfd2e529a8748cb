"""What a column can hold, checked when a value is set: no longer text ever reaches the database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import String, event
from sqlalchemy.orm import ColumnProperty, DeclarativeBase, InstrumentedAttribute

from core.errors import InvalidInput
from core.words import N_


class TooLong(InvalidInput):
    """More characters than there is room for."""

    code = "too_long"


def bound_by_columns(base: type[DeclarativeBase]) -> None:
    """Let every text attribute of `base`'s tables refuse what its column cannot hold.

    Raises (on setting an attribute):
        TooLong: a text has more characters than its column.
    """

    @event.listens_for(base, "attribute_instrument", propagate=True)
    def instrument(_class: type, name: str, attribute: InstrumentedAttribute[Any]) -> None:
        if not isinstance(attribute.property, ColumnProperty):
            return
        kind = attribute.property.columns[0].type
        if not isinstance(kind, String) or kind.length is None:
            return
        most = kind.length

        @event.listens_for(attribute, "set")
        def check(_row: object, value: object, _before: object, _initiator: object) -> None:
            if isinstance(value, str) and len(value) > most:
                raise TooLong(
                    N_("Too long: “%(field)s” has %(length)s characters, and there is room for %(most)s."),
                    field=name.replace("_", " "),
                    length=len(value),
                    most=most,
                )

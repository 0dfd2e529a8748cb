"""What HR says about a list: in which encoding it is, and which column holds what.

It travels in the addresses of the dry run, as encodings and numbers of columns: nothing about a person.
"""

from __future__ import annotations

from flask import request
from flask_babel import gettext as _

from core.errors import InvalidInput
from core.people import roster
from core.people.columns import Field
from core.people.encodings import Encoding
from core.people.roster import Choice


def sent() -> bytes:
    """Return the list that a form sends: the file, or what was pasted.

    Raises:
        InvalidInput: it sends none.
    """
    file, pasted = request.files.get("roster"), request.form.get("pasted", "")
    # One byte more than allowed is enough to know that it is too much.
    content: bytes | None = file.read(roster.MAX_BYTES + 1) if file is not None and file.filename else None
    if content is None:
        if not pasted.strip():
            raise InvalidInput(_("Please choose a file, or paste some rows."))
        return pasted.encode("utf-8-sig")
    if not content.strip():
        raise InvalidInput(_("This file is empty. Please choose the one that holds your list."))
    return content


def chosen() -> Choice:
    """Return what this request says.

    Raises:
        InvalidInput: no such encoding or column.
    """
    try:
        encoding = request.values.get("encoding", "")
        columns = {field: int(number) for field in Field if (number := request.values.get(field.value, ""))}
        return Choice(
            encoding=Encoding(encoding) if encoding else None,
            columns=columns if "header" in request.values else None,
            has_header=request.values["header"] == "yes" if "header" in request.values else None,
        )
    except ValueError as error:
        raise InvalidInput(_("This address is not complete. Please go back and try again.")) from error


def parameters(choice: Choice) -> dict[str, str]:
    """Return what `chosen` reads `choice` from, for links and hidden fields."""
    said = {"encoding": choice.encoding.value} if choice.encoding else {}
    if choice.columns is not None:
        said["header"] = "yes" if choice.has_header else "no"
        said |= {field.value: str(index) for field, index in choice.columns.items()}
    return said

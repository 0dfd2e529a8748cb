"""Searching a list: the words come in a form, the list that they find has an address without them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, request

from core.people import searches
from core.web.answers import go, uuid_argument
from core.web.guards import me


@dataclass(frozen=True)
class Search:
    """What the address of this list says.

    Attributes:
        is_over: It was searched, and the words are not kept any more.
    """

    id: UUID | None
    words: str = ""
    is_over: bool = False


def asked() -> Search:
    """Return the search that this address leads to; asks the storage, so no transaction is open."""
    search_id = uuid_argument("search")
    if search_id is None:
        return Search(None)
    words = searches.words_of(me().org_id, search_id, by=me().member_id)
    return Search(None, is_over=True) if words is None else Search(search_id, words)


def found_at(address: str, *, part: str = "", **filters: str) -> Response:
    """Keep the words of this form and lead to the list that they find: at `part` of a page with more on it."""
    words = request.form.get("q", "").strip()
    said = {name: value for name, value in filters.items() if value}
    if words:
        said["search"] = str(searches.keep(me().org_id, words, by=me().member_id))
    return go(address + (f"?{urlencode(said)}" if said else "") + (f"#{part}" if part else ""))

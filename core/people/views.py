"""Ways to look at the list of people that a company goes back to: filters with a name, the same for all its admins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, TypeAdapter
from sqlalchemy.orm import Session

from core.errors import InvalidInput
from core.models import Organization
from core.people import organizations
from core.words import N_

MOST: Final = 20  # that is a shelf and no archive
LONGEST: Final = 40  # letters of a name, so that several stand in one row


class View(BaseModel):
    """A filter with a name.

    Attributes:
        name: what admins call it.
        said: what an address says of it: states, ids and keys, and no word about anybody.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    said: dict[str, str]

    @property
    def query(self) -> str:
        """The end of its address."""
        return urlencode(self.said)


_VIEWS: Final = TypeAdapter(tuple[View, ...])


class ViewUnusable(InvalidInput):
    """A filter cannot be kept like this."""

    code = "view_unusable"


def listed(session: Session) -> tuple[View, ...]:
    """Return the company's, in the order in which they were kept."""
    return _VIEWS.validate_python(organizations.current(session).people_views)


def keep(session: Session, name: str, said: Mapping[str, str]) -> View:
    """Keep a filter under a name; the one that had this name before is replaced.

    Raises:
        ViewUnusable: no name or a long one, a filter that asks nothing, or too many of them.
    """
    name = " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())
    if not name or len(name) > LONGEST:
        raise ViewUnusable(N_("Please give it a name of 1 to %(most)s letters."), field="view", most=LONGEST)
    if not said:
        raise ViewUnusable(N_("Please filter the list first: a view keeps what is chosen."), field="view")
    organization = _locked(session)
    others = [one for one in listed(session) if one.name.casefold() != name.casefold()]
    if len(others) >= MOST:
        raise ViewUnusable(
            N_("There are %(most)s views, which is as many as there can be. Please remove one first."),
            field="view",
            most=MOST,
        )
    view = View(name=name, said=dict(said))
    organization.people_views = [one.model_dump() for one in (*others, view)]
    return view


def remove(session: Session, name: str) -> None:
    """Remove the view of that name, if there is one."""
    organization = _locked(session)
    organization.people_views = [
        one.model_dump() for one in listed(session) if one.name.casefold() != name.casefold()
    ]


def _locked(session: Session) -> Organization:
    session.flush()  # or what was changed a moment ago would be read back as it was
    organization = organizations.current(session)
    session.refresh(organization, with_for_update={"key_share": True})
    return organization

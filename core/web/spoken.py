"""Which words a page has: in its language, and in German with "du" or "Sie" as the page's company says."""

from __future__ import annotations

from functools import cached_property

from babel.support import NullTranslations
from flask import g, has_request_context
from flask_babel import Babel, Domain, get_locale

from core.formal import catalogue, spoken
from core.web.visitor import visitor


def is_formal() -> bool:
    """Whether German says "Sie" here: what the company says whose look the page has, or else that of whoever is signed in.

    Pages of no company say "du".
    """
    if not has_request_context():
        return False
    if "brand" in g:
        return bool(g.brand.formal)
    who = visitor()
    # The page of a failure asks nobody: what was known before it counts.
    return who.formal if who is not None else bool(g.get("formal", False))


class Pages(Domain):  # type: ignore[misc]  # Flask-Babel ships no types
    """The catalogue that pages look their texts up in."""

    def get_translations(self) -> NullTranslations:
        """Return the catalogue for this request's language and company."""
        locale = get_locale()
        return catalogue(spoken(locale.language if locale else "en", formal=is_formal()))


class Translated(Babel):  # type: ignore[misc]  # Flask-Babel ships no types
    """Flask-Babel with our catalogues."""

    @cached_property
    def domain_instance(self) -> Pages:
        """Return what `gettext` and templates ask."""
        return Pages()

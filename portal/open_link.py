"""The open link of a shoot: whoever has an address of the company gets an invitation of their own by mail."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import Any, Final

from flask import Blueprint, Response, request, url_for
from sqlalchemy.orm import Session

from core.db import transaction
from core.errors import InvalidInput
from core.models import EngineName
from core.people import addresses
from core.people.facts import Facts, FactTaken
from core.portraits import adapters
from core.shoots import open_links
from core.shoots.open_links import Found
from core.vault import derive
from core.web.answers import again, go, page
from core.web.app import choose_language, counted_by_token, limiter
from core.web.errors import answer, wants_json
from portal import words
from portal.visit import company

bp = Blueprint("open_link", __name__)

_FIELDS: Final = ("first_name", "last_name", "email")
# Adding somebody takes about 90 ms, and doing nothing for somebody 20 (medians of 40 on two busy cores): an answer that
# always takes this long tells nobody which it was.
EVEN_SECONDS: Final = 0.3


def _address() -> str:
    """Limits count per address that a mail would go to, known here or not; as a keyed hash."""
    email = addresses.canonical(request.form.get("email", ""))
    said = f"open link {counted_by_token()} {email}".encode()
    return hmac.new(derive("rate limits"), said, hashlib.sha256).hexdigest()[:32]


@bp.errorhandler(open_links.OpenLinkOver)
def _over(error: open_links.OpenLinkOver) -> Response:
    return answer(error) if wants_json() else page("open_link_over.html", error.status, problem=error)


@bp.get("/j/<token>")
@limiter.limit("300 per minute")
def show(token: str) -> Response:
    """Say whose shoot it is, and ask for name and address; looking changes nothing."""
    found = open_links.find(token)
    with transaction(found.org_id) as session:
        return page("open_link.html", typed={}, wrong="", **_shown(session, found, token))


def _shown(session: Session, found: Found, token: str) -> dict[str, Any]:
    company(session)
    link, shoot = open_links.usable(session, found.link_id)
    return {
        "token_value": token,
        "link": link,
        "shoot": shoot,
        "ends": open_links.ends_at(link, shoot),
        "domains": open_links.at(link.domains),
        "takes": words.takes(adapters.usual_seconds(session, shoot.engine))
        if EngineName(shoot.engine).needs_gpu
        else "",
    }


# An office shares one address, and a whole hall opens a poster's link in a few minutes: these limits hold back a program
# and nobody else. What keeps mailboxes from being filled is the limit of each address, and `invites.AGAIN_AFTER`.
@bp.post("/j/<token>")
@limiter.limit("120 per minute; 1000 per hour")
@limiter.limit("240 per minute; 3000 per hour", key_func=counted_by_token)
@limiter.limit("3 per hour; 6 per day", key_func=_address)
def send(token: str) -> Response:
    """Owe an invitation to the address; the answer is the same for every address that may join."""
    begun = time.perf_counter()
    found = open_links.find(token)
    typed = {name: request.form.get(name, "") for name in _FIELDS}
    try:
        with transaction(found.org_id) as session:
            shown = _shown(session, found, token)
            said = open_links.read(shown["link"], **typed, language=choose_language())
    except InvalidInput as error:
        wrong = str(error.details.get("field", ""))
        return again("open_link.html", error, typed=typed, wrong=wrong, **shown)
    try:
        _join(found, said)
    except FactTaken:
        _join(found, said)  # whom somebody else added at that very moment is found now
    time.sleep(max(0.0, EVEN_SECONDS - (time.perf_counter() - begun)))
    return go(url_for("open_link.sent", token=token))


def _join(found: Found, said: Facts) -> None:
    with transaction(found.org_id) as session:
        company(session)  # for the page that says that it is over
        open_links.join(session, found.link_id, said)


@bp.get("/j/<token>/sent")
@limiter.limit("300 per minute")
def sent(token: str) -> Response:
    """Say where to look; the same words whether or not a mail was owed."""
    found = open_links.find(token)
    with transaction(found.org_id) as session:
        company(session)
        return page("open_link_sent.html", token_value=token)

"""A new link to one's data: asked for by mail address, by whoever has no working link any more."""

from __future__ import annotations

import hashlib
import hmac

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _

from core import audit
from core.db import transaction
from core.errors import Forbidden, InvalidInput
from core.models import Member, SignInMethod
from core.people import addresses, data_links, sessions
from core.shoots import participations
from core.vault import derive
from core.web.answers import back, go, page
from core.web.app import counted_by_token, limiter
from core.web.visitor import visitor
from portal.entry import enter
from portal.strangers import note_device
from portal.trust import organization_of
from portal.visit import company, speak

bp = Blueprint("data_link", __name__)

# What a session that such a link began may reach: it shows, takes along, takes back and erases. Whatever is not
# named here is shut to it, so that a page which is added later has to be thought of first.
_WITHOUT_SESSION = frozenset(
    {
        "invite",
        "open_link",
        "erased",
        "trust",
        "policy",
        "reminders",
        "data_link",
        "public_requests",
        "opendsr",
        "strangers",
        "brand",
        "shared",
    }
)  # blueprints that ask for another proof than a session, or for none, and the page for whoever is somebody else
_PAGES = frozenset(
    {
        "start",
        "static",
        "by_company.end",
        "consent.step",  # only sends people to the page where they stand
        "consent.ended",
        "declined.avatar",
        "declined.decline",
        "declined.initials",
        "declined.own_picture",
        "declined.poll",
        "declined.show",
        "gallery.before",
        "gallery.close_up",
        "gallery.download",
        "gallery.show",
        "gallery.view",
        "own_copy.everything",
        "own_copy.provided",
        "own_copy.report",
        "own_copy.schema",
        "own_requests.send",
        "privacy.ask",
        "privacy.erase",
        "privacy.show",
        "privacy.withdraw",
        "progress.events",
        "progress.poll",
        "progress.show",
        "receipts.document",
        "receipts.record",
    }
)


def _address() -> str:
    """Limits count per address that a mail would go to, known here or not; as a keyed hash."""
    email = addresses.canonical(request.form.get("email", ""))
    slug = (request.view_args or {}).get("slug")
    return hmac.new(derive("rate limits"), f"data {slug} {email}".encode(), hashlib.sha256).hexdigest()[:32]


@bp.get("/trust/<slug>/data")
@limiter.limit("120 per minute")
def ask(slug: str) -> Response:
    """Ask for the mail address."""
    with transaction(organization_of(slug)) as session:
        return page("data_link_ask.html", organization=company(session))


@bp.post("/trust/<slug>/data")
@limiter.limit("30 per hour")
@limiter.limit("3 per hour; 6 per day", key_func=_address)
def send(slug: str) -> Response:
    """Owe a mail to the address, if somebody has it; the answer is the same for every address."""
    email = request.form.get("email", "").strip()
    if "@" not in email:
        return back(InvalidInput(_("Enter your mail address, please.")), url_for("data_link.ask", slug=slug))
    with transaction(organization_of(slug)) as session:
        data_links.ask(session, email)
    return go(url_for("data_link.sent", slug=slug))


@bp.get("/trust/<slug>/data/sent")
@limiter.limit("120 per minute")
def sent(slug: str) -> Response:
    """Say where to look; the same words whether or not a mail was owed."""
    with transaction(organization_of(slug)) as session:
        return page("data_link_sent.html", organization=company(session))


@bp.get("/your-data/<token>")
@limiter.limit("300 per minute")
def show(token: str) -> Response:
    """Ask before signing in; link scanners may open it as often as they like."""
    found = data_links.find(token)
    with transaction(found.org_id) as session:
        member = session.get(Member, found.member_id)
        if member is not None:
            organization = company(session)
            speak(session, member.id)
        try:
            data_links.open_with(session, found)
        except data_links.DataLinkOver as over:
            return page("data_link_over.html", over.status, organization=organization, error=over)
        return page("data_link.html", token_value=token, organization=organization)


@bp.post("/your-data/<token>")
@limiter.limit("20 per minute", key_func=counted_by_token)
def accept(token: str) -> Response:
    """Sign the person in to their data, and to nothing that would begin or add anything."""
    found = data_links.find(token)
    before = visitor()
    with transaction(found.org_id) as session:
        member = data_links.open_with(session, found, lock=True)
        company(session)
        if before is not None and before.member_id == member.id:
            return go(url_for("privacy.show"))  # who is in already keeps what else that opens
        newest = participations.of_member(session, member.id, None)
        own = newest[0] if newest else None
        secret = sessions.start(session, member, SignInMethod.DATA, participation=own)
        audit.record(
            session,
            audit.Tag.SIGNED_IN,
            actor=audit.actor_for(member),
            subject=member,
            method=SignInMethod.DATA.value,
        )
        response = go(url_for("privacy.show"))
        note_device(session, response, sessions.row_of(session, secret))
    if before is not None:  # whoever used this browser before is signed out
        with transaction(before.org_id) as session:
            sessions.end(session, before.session_id)
    return enter(response, member.id, secret, own.id if own is not None else None)


def begins_nothing() -> Response | None:
    """Keep a session that a link to one's data began to what that opens; runs before every request.

    Raises:
        Forbidden: a form that is none of those, which would begin or add something.
    """
    endpoint = request.endpoint
    if endpoint is None or endpoint in _PAGES or endpoint.partition(".")[0] in _WITHOUT_SESSION:
        return None
    user = visitor()
    if user is None or user.method is not SignInMethod.DATA:
        return None
    if request.method in ("GET", "HEAD"):
        return go(url_for("privacy.show"))
    raise Forbidden(
        _(
            "This link shows what is held about you. To go on with a shoot, use the link in its invitation mail."
        )
    )

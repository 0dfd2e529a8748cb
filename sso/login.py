"""Signing in and out: the addresses under `/sso`.

The answer to a sign-in is posted by another site, so the browser does not send our `SameSite=Lax`
cookies with it. A cookie of its own therefore binds the browser that asked (login CSRF: an attacker's
answer must not sign a victim in as the attacker): `SameSite=None; Secure` wherever we are reached over
https. Browsers refuse that over plain http, so on a development machine it is `Lax`; the development
identity provider is on the same site, where a Lax cookie does come along. The check is the same in both.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from uuid import UUID

from flask import (
    Blueprint,
    Response,
    current_app,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
)
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as BaseResponse

from core import audit
from core.db import Lookup, transaction
from core.models import Member, Role, SignInMethod, WebSession
from core.people import access, members, organizations, sessions
from core.queue import redis_client
from core.settings import settings
from core.web.app import csrf, forget, remember
from core.web.brand import Brand, dress
from core.web.errors import answer
from core.web.visitor import visitor
from sso import connections, errors, groups
from sso.assertion import claimed_request, validate_response
from sso.credentials import sp_credentials
from sso.logout import LogoutRequest, read_logout_request
from sso.provisioning import member_for
from sso.refusal import refuse
from sso.replay import REQUEST_LIFETIME, PendingRequest, PendingRequests, ReplayCache
from sso.saml import (
    AUDITOR_RETURN,
    DEFAULT_RETURN,
    ServiceProvider,
    login_request,
    safe_return_path,
    sp_metadata,
)

bp = Blueprint("sso", __name__, url_prefix="/sso", template_folder="templates")

bp.register_error_handler(errors.SignInFailed, refuse)

_BROWSER = re.compile(r"[A-Za-z0-9_-]{43}")  # secrets.token_urlsafe(32)


@bp.get("/")
def choose() -> Response | BaseResponse:
    """Ask for the company's short name, then start its sign-in."""
    slug = request.args.get("company", "").strip().lower()
    missing = bool(slug)
    if slug:
        org_id = Lookup.organization(slug)
        if org_id is not None:
            return redirect(f"/sso/{slug}/login", 303)
    page = make_response(
        render_template("sso/choose.html", slug=slug, missing=missing), 404 if missing else 200
    )
    # The form leads on to the company's identity provider, and browsers hold redirects to form-action, too.
    page.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' https:; "
        "frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
    )
    return page


@bp.get("/<slug>/metadata")
def metadata(slug: str) -> Response:
    """Describe us to the company's identity provider; works before it is set up here."""
    _organization(slug)
    xml = sp_metadata(
        ServiceProvider(org=slug, sp_base_url=settings().base_url), sp_credentials(settings().signing_path)
    )
    return Response(xml, mimetype="application/samlmetadata+xml")


@bp.get("/<slug>/login")
def login(slug: str) -> BaseResponse:
    """Send the browser to the company's identity provider."""
    with transaction(_organization(slug)) as database:
        connection = connections.load(database)
    asked = login_request(connection, sp_credentials(settings().signing_path))
    # One value per browser, not per request, so that two tabs can sign in at the same time.
    browser = request.cookies.get(_cookie(), "")
    if not _BROWSER.fullmatch(browser):
        browser = secrets.token_urlsafe(32)
    PendingRequests(redis_client()).remember(
        slug, PendingRequest(asked.request_id, safe_return_path(request.args.get("next")), _digest(browser))
    )
    response = redirect(asked.url, 302)
    response.set_cookie(
        _cookie(),
        browser,
        max_age=int(REQUEST_LIFETIME.total_seconds()),
        path="/",
        secure=_is_https(),
        httponly=True,
        samesite="None" if _is_https() else "Lax",
    )
    return response


@bp.errorhandler(RequestEntityTooLarge)
def _too_large(_error: RequestEntityTooLarge) -> Response:
    """Say it of an answer: nothing else that is sent here is large. Forms are read before their page is asked."""
    return answer(errors.MessageTooLarge())


@bp.post("/<slug>/acs")
@csrf.exempt  # type: ignore[untyped-decorator]  # Flask-WTF ships no types; the pending request is the proof
def acs(slug: str) -> BaseResponse:
    """Take the identity provider's answer and sign the person in."""
    org_id = _organization(slug)
    saml_response = request.form.get("SAMLResponse", "")
    with transaction(org_id) as database:
        connection = connections.load(database)
    request_id = claimed_request(saml_response)
    pending = _take_pending(slug, request_id) if request_id else None
    identity = validate_response(
        connection,
        saml_response,
        expected_request_id=pending.request_id if pending else None,
        replays=ReplayCache(redis_client()),
    )
    g.groups = groups.of(connection, identity)  # for the page, should it refuse
    with transaction(org_id) as database:
        member = member_for(database, connection, identity)
        if (before := visitor()) and before.org_id == org_id:
            sessions.end(database, before.session_id)  # a new sign-in never keeps an old token alive
        token = sessions.start(
            database,
            member,
            SignInMethod.SAML,
            saml_session_index=identity.session_index,
            not_after=identity.session_end,
        )
        audit.record(
            database,
            audit.Tag.SIGNED_IN,
            actor=audit.actor_for(member),
            subject=member,
            method="saml",
            all_groups=identity.all_groups,  # where not, the role stayed as it was
        )
    session.clear()  # form secrets of whoever used this browser before
    if member.role not in access.STAFF:
        groups.keep(identity)
    # An unsolicited answer brings its own wish, which any site could have written: the same check holds.
    wish = pending.return_path if pending else request.form.get("RelayState")
    landing = safe_return_path(wish)
    if landing.rstrip("/") == DEFAULT_RETURN and member.role == Role.AUDITOR:
        landing = AUDITOR_RETURN
    response = make_response(redirect(landing, 303))
    remember(response, current_app, token)
    return response


@bp.get("/<slug>/acs")
def answer_by_address(slug: str) -> BaseResponse:
    """Say how an answer must come; somebody who reloads the page of one starts again."""
    _organization(slug)
    if "SAMLResponse" in request.args:
        raise errors.BindingWrong
    return redirect(f"/sso/{slug}/login", 303)


@bp.get("/<slug>/sls")
def identity_provider_logout(slug: str) -> Response:
    """Take a signed logout request from the identity provider and end the sessions it names."""
    org_id = _organization(slug)
    with transaction(org_id) as database:
        connection = connections.load(database)
        asked = read_logout_request(
            connection, request.query_string.decode("latin-1"), replays=ReplayCache(redis_client())
        )
        member = members.by_identity(
            database, connection.idp_entity_id, asked.name_id.value, is_address=asked.name_id.is_address
        )
        if member is not None:
            _end_sessions(database, member, asked)
        return _signed_out(slug, dress(organizations.current(database)))


@bp.post("/<slug>/sls")
def logout(slug: str) -> Response:
    """Sign out here; the identity provider's own session stays."""
    org_id = _organization(slug)
    with transaction(org_id) as database:
        if (user := visitor()) and user.org_id == org_id:
            sessions.end(database, user.session_id)
            member = members.get(database, user.member_id)
            audit.record(database, audit.Tag.SIGNED_OUT, actor=user.actor, subject=member)
        return _signed_out(slug, dress(organizations.current(database)))


def _organization(slug: str) -> UUID:
    org_id = Lookup.organization(slug)
    if org_id is None:
        raise errors.CompanyUnknown
    return org_id


def _take_pending(slug: str, request_id: str) -> PendingRequest:
    pending = PendingRequests(redis_client()).take(slug, request_id)
    if pending is None:
        raise errors.RequestUnknown
    if not hmac.compare_digest(pending.browser, _digest(request.cookies.get(_cookie(), ""))):
        raise errors.OtherBrowser
    return pending


def _end_sessions(database: Session, member: Member, asked: LogoutRequest) -> None:
    if asked.session_indexes:
        of_member = select(WebSession.id).where(
            WebSession.member_id == member.id, WebSession.saml_session_index.in_(asked.session_indexes)
        )
        for session_id in database.scalars(of_member).all():
            sessions.end(database, session_id)
    else:
        sessions.end_all(database, member.id)
    audit.record(database, audit.Tag.SIGNED_OUT, actor=audit.SYSTEM, subject=member, by="identity provider")


def _signed_out(slug: str, brand: Brand) -> Response:
    response = make_response(render_template("sso/signed_out.html", slug=slug, brand=brand))
    forget(response, current_app)
    return response


def _is_https() -> bool:
    return settings().base_url.startswith("https:")


def _cookie() -> str:
    return "__Host-sso_browser" if _is_https() else "sso_browser"


def _digest(browser: str) -> str:
    return hashlib.sha256(browser.encode()).hexdigest()

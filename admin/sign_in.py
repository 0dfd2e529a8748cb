"""The door: which company, then its own sign-in page; and the way out."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, request

from core import audit
from core.db import transaction
from core.errors import Forbidden, SignInRequired
from core.people import members, sessions
from core.web import brand
from core.web.answers import go, page
from core.web.app import forget
from core.web.errors import answer, said, wants_json
from core.web.guards import me, signed_in
from core.web.visitor import visitor
from sso import connections, groups

bp = Blueprint("sign_in", __name__)


def ask(error: SignInRequired) -> Response:
    """Answer a request without a session: where to sign in, and then back to the page that was asked for."""
    if wants_json():
        return answer(error)
    return _page(brand.remembered(), _back(), 401, said(error) if request.method != "GET" else "")


def refuse(error: Forbidden) -> Response:
    """Answer whose role does not include a page: with the groups that came, since those give the role."""
    if wants_json():
        return answer(error)
    with transaction(me().org_id) as session:
        connection = connections.find(session)
    found = groups.kept(connection) if connection is not None else None
    return page("admin/refused.html", error.status, error=error, status=error.status, groups=found)


@bp.get("/sign-in")
def sign_in() -> Response:
    """Offer the company's sign-in. With `company` in the query its short name is remembered.

    The form leads here and not straight on to the identity provider: browsers would hold that
    redirect to our `form-action`.
    """
    if visitor():
        return go("/admin/")
    asked = request.args.get("company", "").strip().lower()
    return _page(asked or brand.remembered(), _next(request.args.get("next", "")), 200)


def _page(slug: str, back: str, status: int, problem: str = "") -> Response:
    found = brand.of_company(slug)
    unknown = bool(slug) and found is None
    values = {"slug": slug, "brand": found, "unknown": unknown, "back": back, "problem": problem}
    response = page("admin/sign_in.html", 404 if unknown else status, **values)
    if found is not None:
        brand.remember(response, slug)
    return response


def _back() -> str:
    return request.path if request.method == "GET" else "/admin/"


def _next(wish: str) -> str:
    return wish if wish.startswith("/admin/") and "\\" not in wish else "/admin/"


@bp.post("/sign-out")
@signed_in
def sign_out() -> Response:
    """End this session here; the identity provider's own session stays."""
    with transaction(me().org_id) as session:
        sessions.end(session, me().session_id)
        member = members.get(session, me().member_id)
        audit.record(session, audit.Tag.SIGNED_OUT, actor=me().actor, subject=member)
    response = go("/admin/sign-in")
    forget(response, current_app)
    return response

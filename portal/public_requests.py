"""The form for people without an account, and how far a request is for whoever has a mail about it."""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _

from compliance import erasure
from compliance.requests import clocks, letters, moves, public, regimes
from compliance.requests.public import CodeOver, WrongCode
from compliance.requests.words import Words
from core.db import transaction
from core.errors import InvalidInput, NotFound
from core.models import Organization, Right, Stage, SubjectRequest
from core.people import addresses
from core.regimes import Regime
from core.vault import derive
from core.web.answers import again, go, page
from core.web.app import choose_language, counted_by_token, limiter
from portal import request_words
from portal.trust import organization_of
from portal.visit import company

bp = Blueprint("public_requests", __name__)

MOST = {"address": 254, "code_to": 254, "name": 160, "agent": 160, "text": 4000}


def _code_field() -> str:
    """Return which field holds where the code goes: an agent has an address of their own."""
    return "code_to" if request.form.get("who") == "agent" and request.form.get("code_to") else "address"


def _address() -> str:
    """Limits count per address that a code would go to, known here or not; as a keyed hash."""
    email = addresses.canonical(request.form.get(_code_field(), ""))
    slug = (request.view_args or {}).get("slug")
    said = f"request {slug} {email}".encode()
    return hmac.new(derive("rate limits"), said, hashlib.sha256).hexdigest()[:32]


@bp.get("/privacy/<slug>")
@limiter.limit("120 per minute")
def ask(slug: str) -> Response:
    """Ask what somebody wants, and where an answer goes."""
    with transaction(organization_of(slug)) as session:
        return page("request_ask.html", organization=company(session), rights=request_words.RIGHTS, typed={})


@bp.post("/privacy/<slug>")
@limiter.limit("30 per hour")
@limiter.limit("3 per hour; 6 per day", key_func=_address)
def send(slug: str) -> Response:
    """Owe a code to the address; the answer is the same for every address."""
    org_id = organization_of(slug)
    agent = request.form.get("who") == "agent"
    try:
        right, asked = _asked(agent=agent)
    except InvalidInput as error:
        with transaction(org_id) as session:
            organization = company(session)
            return again(
                "request_ask.html",
                error,
                organization=organization,
                rights=request_words.RIGHTS,
                typed=request.form,
            )
    with transaction(org_id) as session:
        request_id = public.ask(session, right, asked, agent=agent, language=choose_language())
    return go(url_for("public_requests.code", slug=slug, token=letters.token_of(org_id, request_id)))


def _asked(*, agent: bool) -> tuple[Right, Words]:
    given = {name: request.form.get(name, "").strip() for name in MOST}
    if any(len(given[name]) > most for name, most in MOST.items()):
        raise InvalidInput(_("Something of this is too long. Nothing was sent: please shorten it."))
    if "@" not in given["address"] or (agent and "@" not in given["code_to"]):
        raise InvalidInput(_("Enter a mail address, please."))
    if agent and not (given["agent"] and given["name"]):
        raise InvalidInput(_("Say who you are, and for whom you ask."))
    try:
        right = Right(request.form.get("right", ""))
    except ValueError as error:
        raise InvalidInput(_("Say what you ask for, please.")) from error
    if not agent:
        return right, Words(address=given["address"], name=given["name"], text=given["text"])
    asker = f"{given['agent']}, {given['code_to']}"
    return right, Words(
        address=given["address"],
        name=given["name"],
        agent=asker,
        text=given["text"],
        code_to=given["code_to"],
    )


@bp.get("/privacy/<slug>/code/<token>")
@limiter.limit("120 per minute")
def code(slug: str, token: str) -> Response:
    """Ask for the code, and for what somebody knows of themselves."""
    org_id, request_id = _found(slug, token)
    with transaction(org_id) as session:
        organization = company(session)
        try:
            row = public.waiting(session, request_id)
        except CodeOver as over:
            return page("request_over.html", over.status, organization=organization, error=over)
        return page("request_code.html", **_asking(organization, row, token))


def _asking(organization: Organization, row: SubjectRequest, token: str) -> dict[str, object]:
    # California asks for a declaration under penalty of perjury (11 CCR § 7062); no other law here knows one.
    perjury = row.regime == Regime.CCPA
    return {"organization": organization, "row": row, "token_value": token, "perjury": perjury}


@bp.post("/privacy/<slug>/code/<token>")
@limiter.limit("20 per minute", key_func=counted_by_token)
def confirm(slug: str, token: str) -> Response:
    """Take the request up, once the code is right."""
    org_id, request_id = _found(slug, token)
    with transaction(org_id) as session:
        organization = company(session)
        try:
            row = public.waiting(session, request_id, lock=True)
        except CodeOver as over:
            return page("request_over.html", over.status, organization=organization, error=over)
        right = public.is_right(row, request.form.get("code", "")[:40])
        if right:
            said = {name: request.form.get(name, "")[:200] for name in ("name", "employee_id", "department")}
            public.confirm(session, row, said, declared=request.form.get("declared") == "yes")
    if not right:
        return again("request_code.html", WrongCode(), **_asking(organization, row, token))
    return go(
        url_for("public_requests.show", slug=slug, token=token),
        _("Your request has arrived. Keep this page: here you see how far it is."),
    )


@bp.get("/privacy/<slug>/requests/<token>")
@limiter.limit("120 per minute")
def show(slug: str, token: str) -> Response:
    """Say how far a request is; nothing of who asked."""
    org_id, request_id = _found(slug, token)
    with transaction(org_id) as session:
        organization = company(session)
        row = moves.get(session, request_id)
        if row.state == Stage.UNCONFIRMED:
            return go(url_for("public_requests.code", slug=slug, token=token))
        place = regimes.place_of(session)
        return page(
            "request_status.html",
            organization=organization,
            row=row,
            over=row.state in moves.OVER,
            due=clocks.local_day(row.due_at, place),
            received=clocks.local_day(row.received_at, place),
            rights=request_words.RIGHTS,
            stages=request_words.STAGES,
            receipt=erasure.receipt_of(row.erasure_id) if row.erasure_id is not None else None,
        )


def _found(slug: str, token: str) -> tuple[UUID, UUID]:
    org_id = organization_of(slug)
    request_id = letters.request_of(org_id, token)
    if request_id is None:
        raise NotFound(_("This link is not complete. Please copy the whole link from the mail."))
    return org_id, request_id

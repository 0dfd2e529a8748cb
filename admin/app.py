"""The admin app: HR admins, reviewers and auditors behind the company's sign-in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Flask, Response, g, request
from flask_babel import format_date, format_datetime

from admin import (
    audit,
    brand,
    breaches,
    bulk,
    bulk_form,
    controls,
    dashboard,
    download,
    looks,
    mails,
    navigation,
    on_behalf,
    open_link,
    opendsr,
    people,
    person_form,
    pictures,
    privacy_settings,
    recalls,
    reminding,
    renewal,
    reports,
    request_metrics,
    request_place,
    requests,
    retention,
    roster,
    shoot_edit,
    shoots,
    sign_in,
    status,
    styles,
    sync,
    uploads,
)
from admin.words import (
    ATTENTION,
    MAIL_KINDS,
    MAIL_STATES,
    REASONS,
    ROLES,
    SIZES,
    STAGES,
    STATES,
    VERDICTS,
    bounce,
    failure,
    undelivered,
)
from core import permissions
from core.db import transaction
from core.errors import Forbidden, SignInRequired
from core.models import Member, State
from core.people import organizations
from core.people.sessions import SignedIn
from core.permissions import Permission
from core.web import app as web
from core.web.brand import brand_of
from core.web.visitor import visitor
from sso.login import bp as sso

BLUEPRINTS = (
    sign_in.bp,
    dashboard.bp,
    brand.bp,
    breaches.bp,
    retention.bp,
    privacy_settings.bp,
    mails.bp,
    reports.bp,
    styles.bp,
    looks.bp,
    uploads.bp,
    shoots.bp,
    shoot_edit.bp,
    reminding.bp,
    renewal.bp,
    open_link.bp,
    roster.bp,
    pictures.bp,
    status.bp,
    download.bp,
    person_form.bp,
    on_behalf.bp,
    sync.bp,
    bulk.bp,
    bulk_form.bp,
    people.bp,
    recalls.bp,
    request_metrics.bp,
    request_place.bp,
    opendsr.bp,
    requests.bp,
    audit.bp,
    controls.bp,
)


def create_app() -> Flask:
    """Return the admin app; it also answers under `/sso`, since its people sign in there."""
    app = web.create_app("admin", "admin")
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint, url_prefix="/admin")
    app.register_blueprint(sso)
    app.register_error_handler(SignInRequired, sign_in.ask)
    app.register_error_handler(Forbidden, sign_in.refuse)
    app.context_processor(_context)
    app.add_template_filter(_day, "day")
    app.add_template_filter(_moment, "moment")
    app.after_request(_vary)
    return app


def _company(user: SignedIn) -> dict[str, Any]:
    """Return the company's brand, and who is signed in; read once a request."""
    if "company" not in g:
        with transaction(user.org_id) as session:
            member = session.get_one(Member, user.member_id)
            g.company = {
                "brand": brand_of(organizations.current(session)),
                "my_name": member.full_name or member.email,
            }
    found: dict[str, Any] = g.company
    return found


def _context() -> dict[str, Any]:
    user = visitor()

    def can(permission: str) -> bool:
        return user is not None and permissions.allowed(user.role, Permission(permission))

    return {
        "user": user,
        "start_url": "/admin/",
        "sign_out_url": "/admin/sign-out" if user is not None else None,
        "can": can,
        "ways": navigation.of(user.role, request.path) if user is not None else [],
        "states": STATES,
        "State": State,
        "attention_words": ATTENTION,
        "stage_words": STAGES,
        "size_words": SIZES,
        "verdict_words": VERDICTS,
        "reason_words": REASONS,
        "role_words": ROLES,
        "failure_word": failure,
        "undelivered_word": undelivered,
        "bounce_word": bounce,
        "mail_states": MAIL_STATES,
        "mail_kinds": MAIL_KINDS,
        "log_differs": user is not None and audit.log_differs(user),
        # Pages of `sso` bring their own brand, of the company whose address they have.
        **(_company(user) if user is not None and request.blueprint != "sso" else {}),
    }


def _day(moment: datetime) -> str:
    return str(format_date(moment, "medium"))


def _moment(moment: datetime) -> str:
    """Format a time in UTC, which is what deadlines and the log are kept in."""
    return f"{_day(moment)}, {format_datetime(moment, 'HH:mm', rebase=False)} UTC"


def _vary(response: Response) -> Response:
    # One address answers as a page or as JSON.
    response.vary.add("Accept")
    return response

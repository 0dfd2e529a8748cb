"""Mails to people: whom they are from, when reminders rest, what each says, and whether servers believe them."""

from __future__ import annotations

import base64
from datetime import timedelta

from flask import Blueprint, Response, g, make_response, render_template, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from admin.mail_words import KINDS, RECORDS, VERDICTS
from core.clock import now
from core.db import transaction
from core.errors import AppError, InvalidInput, NotFound
from core.mail import sender_dns, smtp
from core.mail.message import Mail, MailFailed
from core.models import Member, Shoot
from core.people import organizations
from core.permissions import Permission
from core.shoots import letters, senders, shoots, wording
from core.web.answers import again, back, go, page
from core.web.app import limiter
from core.web.errors import said
from core.web.guards import me, requires

bp = Blueprint("mails", __name__)

# What a preview may do: show itself in our page, and nothing else.
_PREVIEW = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"
SAMPLE_DAYS = 9


@bp.get("/mails")
@requires(Permission.EDIT_MAILS)
def index() -> Response:
    """Show whom mails are from, and every mail in every language."""
    with transaction(me().org_id) as session:
        return page("admin/mails.html", **_shown(session))


def _shown(session: Session) -> dict[str, object]:
    organization = organizations.current(session)
    names = ("sender_name", "reply_to", "quiet_from", "quiet_until", "language")
    given = {name: getattr(organization, name) for name in names}
    return {
        "given": given | {"formal_german": senders.SIE if organization.formal_german else senders.DU},
        "usual_name": wording.words(organization.language)["sender"].format(company=organization.name),
        "usual_reply": organization.contact_email,
        "time_zone": organization.time_zone,
        "kinds": KINDS,
        "changed": wording.changed(session),
        "mail_languages": wording.LANGUAGES,
    }


@bp.post("/mails")
@requires(Permission.EDIT_MAILS)
def save_sender() -> Response:
    """Say whom mails are from, where answers go, in which hours reminders rest, and how people are spoken to."""
    given = {
        name: request.form.get(name, "")
        for name in ("sender_name", "reply_to", "quiet_from", "quiet_until", "language", "formal_german")
    }
    try:
        with transaction(me().org_id) as session:
            senders.change(session, senders.Sender(**given), actor=me().actor)
    except InvalidInput as error:
        with transaction(me().org_id) as session:
            return again("admin/mails.html", error, **{**_shown(session), "given": given})
    return go("/admin/mails", _("Saved. It counts for every mail from now on."))


@bp.get("/mails/dns")
@requires(Permission.EDIT_MAILS)
@limiter.limit("20 per minute")
def dns() -> Response:
    """Ask DNS whether other mail servers believe that our mails are ours."""
    domain = sender_dns.domain()
    records = sender_dns.check() if "." in domain else []
    return page(
        "admin/mails_dns.html", domain=domain, records=records, verdicts=VERDICTS, record_words=RECORDS
    )


@bp.get("/mails/<kind>/<language>")
@requires(Permission.EDIT_MAILS)
def edit(kind: str, language: str) -> Response:
    """Show what a mail says, the parts that can be worded otherwise, and how it looks."""
    with transaction(me().org_id) as session:
        return _edited(session, kind, language)


def _edited(session: Session, kind: str, language: str, error: AppError | None = None) -> Response:
    _demand(kind, language)
    typed = request.form if request.method == "POST" else {}
    answer = page(
        "admin/mail_text.html",
        error.status if error else 200,
        problem=error,
        kind=kind,
        language_of_mail=language,
        title=KINDS[kind].label,
        meaning=KINDS[kind].meaning,
        parts_list=wording.parts(session, kind, language),
        typed=typed,
        wrong=error.details.get("field") if error else None,
        variables=wording.variables(kind),
    )
    # The preview stands in a frame of its own, since a mail brings its own looks.
    policy = f"default-src 'none'; script-src 'self' 'nonce-{g.nonce}'; style-src 'self' 'nonce-{g.nonce}'; "
    answer.headers["Content-Security-Policy"] = (
        policy
        + "img-src 'self' blob: data:; connect-src 'self'; font-src 'self'; frame-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
    )
    return answer


def _demand(kind: str, language: str) -> None:
    if kind not in KINDS or language not in wording.LANGUAGES:
        raise NotFound(_("There is no such mail."))


@bp.post("/mails/<kind>/<language>")
@requires(Permission.EDIT_MAILS)
def save(kind: str, language: str) -> Response:
    """Have a mail say what was typed; `reset` takes our words again."""
    _demand(kind, language)
    own = {} if request.form.get("action") == "reset" else _typed()
    try:
        with transaction(me().org_id) as session:
            wording.save(session, kind, language, own, actor=me().actor)
    except wording.TextUnusable as error:
        with transaction(me().org_id) as session:
            return _edited(session, kind, language, error)
    return go(f"/admin/mails/{kind}/{language}", _("Saved. It counts for every mail from now on."))


def _typed() -> dict[str, str]:
    return {name: request.form[name] for name in wording.PARTS if name in request.form}


@bp.route("/mails/<kind>/<language>/preview", methods=["GET", "POST"])
@requires(Permission.EDIT_MAILS)
def preview(kind: str, language: str) -> Response:
    """Show a mail as it would be: as saved, or as typed; as HTML, or as the text beside it."""
    _demand(kind, language)
    try:
        mail = _sample(kind, language)
    except wording.TextUnusable as error:
        return _framed(render_template("admin/mail_preview_problem.html", problem=said(error)), 422)
    if request.values.get("as") == "text":
        return _framed(mail.text, 200, "text/plain; charset=utf-8")
    html = mail.html
    for picture in mail.inline:
        content = base64.b64encode(picture.content).decode()
        html = html.replace(f"cid:{picture.cid}", f"data:{picture.media_type};base64,{content}")
    return _framed(html, 200)


def _framed(content: str, status: int, media_type: str = "text/html; charset=utf-8") -> Response:
    answer = make_response(content, status)
    answer.headers["Content-Type"] = media_type
    answer.headers["Content-Security-Policy"] = _PREVIEW
    return answer


@bp.post("/mails/<kind>/<language>/test")
@requires(Permission.EDIT_MAILS)
@limiter.limit("10 per minute")
def test(kind: str, language: str) -> Response:
    """Send the mail, as typed, to whoever asks for it, and say what the mail server answered."""
    _demand(kind, language)
    address = f"/admin/mails/{kind}/{language}"
    try:
        mail = _sample(kind, language, subject=_("Test: %(subject)s", subject="%s"))
        smtp.send(mail)
    except wording.TextUnusable as error:
        with transaction(me().org_id) as session:
            return _edited(session, kind, language, error)
    except MailFailed as error:
        return back(error, address)
    return go(
        address,
        _(
            "The mail server took a test mail to your own address. Its links lead nowhere. What you typed is not saved yet."
        ),
    )


def _sample(kind: str, language: str, *, subject: str = "%s") -> Mail:
    """Return a mail with what was typed, or else with what is saved, to whoever looks."""
    with transaction(me().org_id) as session:
        logo = letters.unfetched_logo(session, organizations.current(session))
    if logo is not None:
        letters.fetch_logo(logo)
    with transaction(me().org_id) as session:
        own = (
            wording.merged(kind, organizations.spoken(session, language), _typed())
            if request.method == "POST"
            else None
        )
        words = own if own is not None else wording.said(session, kind, language)
        listed = shoots.listed(session)
        shoot = listed[0][0] if listed and listed[0][0].closed_at is None else _made_up()
        viewer = session.get_one(Member, me().member_id)
        return letters.sample(
            session, kind, language, {**words, "subject": subject % words["subject"]}, viewer, shoot
        )


def _made_up() -> Shoot:
    return Shoot(name=_("Spring"), deadline=now() + timedelta(days=SAMPLE_DAYS))

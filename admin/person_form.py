"""One person by hand: added with a small form, and what is known of them changed where it stands."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import ngettext

from admin import people
from core.db import transaction
from core.errors import AppError, Conflict, InvalidInput
from core.people import facts, members, organizations
from core.people.facts import Fact
from core.permissions import Permission
from core.shoots import by_hand, shoots
from core.web.answers import again, back, go, page, uuid_argument
from core.web.guards import me, requires

bp = Blueprint("person_form", __name__)


def _written() -> dict[Fact, str]:
    return {fact: request.form.get(fact.value, "") for fact in Fact if fact.value in request.form}


@bp.get("/people/new")
@requires(Permission.INVITE)
def new() -> Response:
    """Ask for one person, and into which shoot they are invited."""
    with transaction(me().org_id) as session:
        given = dict.fromkeys(Fact, "") | {"language": organizations.current(session).language}
        given["shoot"] = str(uuid_argument("shoot") or "")
        open_shoots = [shoot for shoot, _style in shoots.listed(session) if shoot.closed_at is None]
    return page("admin/person_new.html", given=given, open_shoots=open_shoots, **people.choices())


@bp.post("/people/new")
@requires(Permission.INVITE)
def add() -> Response:
    """Add the person, and invite them where a shoot is chosen."""
    with transaction(me().org_id) as session:
        open_shoots = [shoot for shoot, _style in shoots.listed(session) if shoot.closed_at is None]
    try:
        shoot_id = uuid_argument("shoot")
        wanted = facts.read(dict.fromkeys(Fact, "") | _written())
        with transaction(me().org_id) as session:
            shoot = shoots.get(session, shoot_id, lock=True) if shoot_id else None
            member = by_hand.add(session, wanted, shoot=shoot, actor=me().actor)
    except (InvalidInput, Conflict) as error:
        given = dict.fromkeys(Fact, "") | request.form.to_dict()
        shown = {"given": given, "open_shoots": open_shoots, "wrong": _wrong(error), **people.choices()}
        return again("admin/person_new.html", error, **shown)
    message = _("Added, and the invitation is on its way.") if shoot else _("Added. Nobody was mailed.")
    return go(f"/admin/people/{member.id}", message, id=str(member.id))


@bp.post("/people/<uuid:member_id>/invite")
@requires(Permission.INVITE)
def invite(member_id: UUID) -> Response:
    """Invite somebody who is in the company to a shoot."""
    try:
        shoot_id = uuid_argument("to")
        if shoot_id is None:
            raise InvalidInput(_("Please choose a shoot."), field="to")
        with transaction(me().org_id) as session:
            shoot = shoots.get(session, shoot_id, lock=True)
            by_hand.invite(session, members.get(session, member_id), shoot, actor=me().actor)
    except (InvalidInput, Conflict) as error:
        return back(error, f"/admin/people/{member_id}")
    return go(f"/admin/people/{member_id}", _("The invitation is on its way."))


@bp.post("/people/<uuid:member_id>/facts")
@requires(Permission.INVITE)
def correct(member_id: UUID) -> Response:
    """Change what is known of a person; what the form does not hold stays."""
    try:
        with transaction(me().org_id) as session:
            member = members.get(session, member_id)
            written = _written()
            # An address and a name are judged together, as rows of lists are: what the form leaves out is as it stands.
            known = {Fact(name): text for name, text in people.given_by(member).items()}
            read = facts.read(known | written)
            changed, links = by_hand.correct(
                session, member, {fact: read[fact] for fact in written}, by="admin", actor=me().actor
            )
    except (InvalidInput, Conflict) as error:
        with transaction(me().org_id) as session:  # what was read before is gone with what failed
            member = members.get(session, member_id)
            shown = people.shown(session, member)
        shown |= {
            "given": people.given_by(member) | request.form.to_dict(),
            "wrong": _wrong(error),
            "is_editing": True,
        }
        return again("admin/person.html", error, **shown)
    return go(
        f"/admin/people/{member_id}",
        _said(changed, links),
        changed=[fact.value for fact in changed],
        links=links,
    )


def _wrong(error: AppError) -> str:
    return str(error.details.get("field", ""))


def _said(changed: list[Fact], links: int) -> str:
    if not changed:
        return str(_("Nothing was changed."))
    if Fact.EMAIL not in changed:
        return str(_("Changed."))
    ended = _("Changed. Links that went to the old address have ended.")
    sent = ngettext(
        "%(num)s new link is on its way to the new one.",
        "%(num)s new links are on their way to the new one.",
        links,
    )
    return f"{ended} {sent}" if links else str(ended)

"""People: found, looked at, and erased on their behalf."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from admin import on_behalf as behalf_pages
from admin import people_filter, search
from compliance import erasure
from compliance.erasure import ErasureReason
from core.db import transaction
from core.errors import InvalidInput
from core.models import Member
from core.people import access, addresses, listing, members, places, views
from core.people.facts import Fact
from core.people.filters import Filter
from core.permissions import Permission
from core.portraits import gallery, on_behalf
from core.shoots import by_hand, deliveries, undelivered
from core.web.answers import again, back, go, json_answer, page, uuid_argument
from core.web.app import choose_language
from core.web.errors import wants_json
from core.web.guards import me, requires

bp = Blueprint("people", __name__)


class NotConfirmed(InvalidInput):
    """What was typed is not the person's address."""

    code = "not_confirmed"


@bp.get("/people")
@requires(Permission.INVITE)
def index() -> Response:
    """List people, all or those whom a filter finds."""
    asked = people_filter.asked()
    problem: InvalidInput | None = None
    with transaction(me().org_id) as session:
        try:
            wanted = people_filter.filter_of(session, asked)
            found = listing.page(session, wanted, after_member=uuid_argument("after"))
        except InvalidInput as error:
            if wants_json():
                raise
            # The page with the reason, so that a view whose department is empty now can be removed from it.
            problem, wanted, found = error, Filter(), listing.Page([], None)
        parts = [one.participation.id for one in found.people if one.participation]
        unreached, faces = undelivered.of(session, parts), gallery.with_picture(session, parts)
        total = listing.count(session)
        matching = 0 if problem else listing.count(session, wanted) if asked.is_narrow else total
        offered = people_filter.choices(session)
        kept = views.listed(session)
    if wants_json():
        return json_answer(
            {
                "total": total,
                "matching": matching,
                "people": [str(one.member.id) for one in found.people],
                "after": str(found.after) if found.after else None,
            }
        )
    return page(
        "admin/people.html",
        problem.status if problem else 200,
        problem=problem,
        found=found,
        undelivered=unreached,
        faces=faces,
        asked=asked,
        search=asked.search,
        total=total,
        matching=matching,
        views=kept,
        view=next((one for one in kept if one.said == asked.said and not asked.search.id), None),
        **offered,
    )


@bp.post("/people")
@requires(Permission.INVITE)
def find() -> Response:
    """Choose whom the list shows. A form, so that no name stands in an address."""
    return search.found_at("/admin/people", **people_filter.said())


@bp.post("/people/views")
@requires(Permission.INVITE)
def keep_view() -> Response:
    """Keep the filter that the form holds under a name, for all admins."""
    said = people_filter.said()
    try:
        with transaction(me().org_id) as session:
            people_filter.filter_of(session, people_filter.Asked(said, search.Search(None)))
            view = views.keep(session, request.form.get("view", ""), said)
    except InvalidInput as error:
        return back(error, f"/admin/people?{urlencode(said)}")
    return go(f"/admin/people?{view.query}", _("The view is kept. All admins of your company see it."))


@bp.post("/people/views/remove")
@requires(Permission.INVITE)
def remove_view() -> Response:
    """Remove a kept filter; nothing happens to the people whom it shows."""
    with transaction(me().org_id) as session:
        views.remove(session, request.form.get("view", ""))
    return go("/admin/people", _("The view is removed. Nothing happened to the people in it."))


@bp.get("/people/<uuid:member_id>")
@requires(Permission.INVITE)
def view(member_id: UUID) -> Response:
    """Show one person: their shoots and how far they are, never why they decline."""
    with transaction(me().org_id) as session:
        member = members.get(session, member_id)
        return page("admin/person.html", **shown(session, member))


def choices() -> dict[str, object]:
    """Return what a form about a person offers: the countries, and the states of the United States apart."""
    return {"countries": places.countries(choose_language()), "us_states": places.STATES}


def given_by(member: Member) -> dict[str, str]:
    """Return what such a form holds of somebody who is known."""
    return {fact.value: getattr(member, fact) or "" for fact in Fact}


def shown(session: Session, member: Member) -> dict[str, object]:
    """Return what a person's page shows."""
    listed = listing.parts(session, member.id)
    return {
        "member": member,
        "place": places.name(member.place, choose_language()) if member.place else "",
        "parts_list": listed,
        "faces": gallery.with_picture(session, [one.participation.id for one in listed]),
        "mails": deliveries.of_member(session, member.id),
        "undelivered": undelivered.of(session, [one.participation.id for one in listed]),
        "on_behalf": {
            one.participation.id: behalf_pages.STANDINGS[
                on_behalf.standing(one.participation, member, one.shoot)
            ]
            for one in listed
        },
        "given": given_by(member),
        "invitable_to": by_hand.invitable_to(session, member),
        **choices(),
    }


@bp.post("/people/<uuid:member_id>/erase")
@requires(Permission.ERASE_MEMBER)
def erase(member_id: UUID) -> Response:
    """Erase everything about a person, once the admin has typed their address."""
    try:
        with transaction(me().org_id) as session:
            member = members.get(session, member_id)
            seen = shown(session, member)
            typed = request.form.get("confirmation", "")
            if addresses.canonical(typed) != addresses.canonical(member.email or ""):
                raise NotConfirmed(_("That is not this person's email address. Nothing was erased."))
            asked = erasure.request(
                session,
                member,
                reason=ErasureReason.EMPLOYER_REQUEST,
                actor=me().actor,
                language=member.language,
            )
    except (NotConfirmed, access.LastAdmin, erasure.LegalHold) as error:
        return again("admin/person.html", error, **seen)
    return go(
        "/admin/people",
        _(
            "Erased: nothing about this person can be read any more. A mail tells them so, with their link to the certificate, "
            "which also follows under Evidence."
        ),
        erasure=str(asked.erasure_id),
    )


@bp.post("/people/<uuid:member_id>/disable")
@requires(Permission.DISABLE_MEMBER)
def disable(member_id: UUID) -> Response:
    """Switch off somebody's access: their sessions and links end, nothing is deleted."""
    try:
        with transaction(me().org_id) as session:
            member = members.get(session, member_id)
            seen = shown(session, member)
            access.disable(session, member, actor=me().actor)
    except access.LastAdmin as error:
        return again("admin/person.html", error, **seen)
    return go(
        f"/admin/people/{member_id}",
        _("Access is off: this person is signed out everywhere, and their links lead nowhere."),
    )


@bp.post("/people/<uuid:member_id>/until")
@requires(Permission.DISABLE_MEMBER)
def limit(member_id: UUID) -> Response:
    """Set the last day on which an auditor, say, may enter the company's pages, or take it away."""
    typed = request.form.get("last_day", "").strip()
    try:
        with transaction(me().org_id) as session:
            member = members.get(session, member_id)
            seen = shown(session, member)
            access.limit(session, member, _day(typed), actor=me().actor)
    except (InvalidInput, access.LastAdmin, access.OwnTime) as error:
        return again("admin/person.html", error, **seen)
    return go(
        f"/admin/people/{member_id}#access",
        _("Saved. After that day this person enters none of your company’s pages.")
        if typed
        else _("Saved. Their access has no last day any more."),
    )


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError:
        raise InvalidInput(_("Please choose a day, such as 2027-01-31. Nothing was changed.")) from None


@bp.post("/people/<uuid:member_id>/enable")
@requires(Permission.DISABLE_MEMBER)
def enable(member_id: UUID) -> Response:
    """Let somebody in again."""
    with transaction(me().org_id) as session:
        access.enable(session, members.get(session, member_id), actor=me().actor)
    return go(
        f"/admin/people/{member_id}",
        _("Access is on again. Old links stay ended: send a new one from the shoot’s page."),
    )

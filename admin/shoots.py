"""Shoots: created, watched live, people sent new links by name, closed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import redis
from flask import Blueprint, Response, request
from flask_babel import format_date, ngettext
from flask_babel import gettext as _

from admin import search
from admin.words import ENGINES, failure
from compliance.origin.label import label_of
from core import gpu
from core.brand import styles
from core.clock import now
from core.db import transaction
from core.errors import InvalidInput
from core.models import EngineName, MailState, Organization, Participation, Shoot, State, Style
from core.models.shoot import DEFAULT_FILE_NAME
from core.people import organizations
from core.permissions import Permission, allowed
from core.portraits import adapters, engines, file_names, gallery, rejections, reviews
from core.shoots import (
    commits,
    dashboard,
    deliveries,
    invites,
    open_links,
    participations,
    promises,
    reminders,
    reminding,
    shoots,
    undelivered,
)
from core.web.answers import again, back, go, json_answer, page, uuid_argument
from core.web.errors import wants_json
from core.web.guards import me, requires

bp = Blueprint("shoots", __name__)

DEFAULT_DAYS = 14
MOST_AT_ONCE = 500  # checkboxes of one page, with room


@bp.get("/shoots/new")
@requires(Permission.MANAGE_SHOOTS)
def new() -> Response:
    """Ask for a shoot's name, style and deadline."""
    with transaction(me().org_id) as session:
        listed = styles.newest(session)
        usual = reviews.usual(session)
        copied = shoots.get(session, copy_id) if (copy_id := uuid_argument("copy")) else None
        style = styles.newest_of(session, styles.get(session, copied.style_id)) if copied else None
    fields = {
        "name": _("Copy of %(name)s", name=copied.name)[: shoots.LONGEST_NAME] if copied else "",
        "style_id": str(style.id)
        if style
        else request.args.get("style", str(listed[0].style.id) if listed else ""),
        "deadline": (now().date() + timedelta(days=DEFAULT_DAYS)).isoformat(),
        "engine": copied.engine if copied else EngineName.STUDIO.value,
        "file_name": copied.file_name if copied else DEFAULT_FILE_NAME,
        "reviewed": copied.reviewed if copied else usual,
    }
    return page("admin/shoot_new.html", fields=fields, **_choices(listed))


def _choices(listed: list[styles.Listed]) -> dict[str, Any]:
    return {
        "listed": listed,
        "today": now().date().isoformat(),
        "latest": (now().date() + shoots.LONGEST_DEADLINE).isoformat(),
        "example": file_names.EXAMPLE,
        "engines": [
            (engine, word, failure(code) if (code := engines.off(engine)) else "")
            for engine, word in ENGINES.items()
        ],
    }


@bp.post("/shoots/new")
@requires(Permission.MANAGE_SHOOTS)
def create() -> Response:
    """Create a shoot; its people come next."""
    form = request.form
    try:
        with transaction(me().org_id) as session:
            listed = styles.newest(session)
            style_id = uuid_argument("style_id")
            if style_id is None:
                raise InvalidInput(_("Please choose a style."))
            shoot = shoots.create(
                session,
                name=form.get("name", ""),
                style=styles.get(session, style_id),
                deadline=day(form.get("deadline", "")),
                file_name=form.get("file_name", "") or DEFAULT_FILE_NAME,
                engine=form.get("engine", EngineName.STUDIO),
                actor=me().actor,
            )
            reviews.require(session, shoot, "reviewed" in form, actor=me().actor)
    except InvalidInput as error:
        fields = {
            name: form.get(name, "")
            for name in ("name", "style_id", "deadline", "engine", "file_name", "reviewed")
        }
        return again("admin/shoot_new.html", error, fields=fields, **_choices(listed))
    return go(f"/admin/shoots/{shoot.id}", _("The shoot is ready. Now invite your people."), id=str(shoot.id))


def day(text: str) -> date:
    """Return the day that a form gives.

    Raises:
        InvalidInput: it gives none.
    """
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise InvalidInput(_("Please give the deadline as a day, like 2026-12-31.")) from error


def _sees_people() -> bool:
    return any(allowed(me().role, one) for one in (Permission.INVITE, Permission.DOWNLOAD))


@bp.post("/shoots/<uuid:shoot_id>")
@requires(Permission.VIEW_DASHBOARD)
def find(shoot_id: UUID) -> Response:
    """Search the people of a shoot. A form, so that no name stands in an address."""
    address, state = f"/admin/shoots/{shoot_id}", _state(request.form.get("state", ""))
    if not _sees_people():
        return go(address)
    with transaction(me().org_id) as session:
        shoots.get(session, shoot_id)
    return search.found_at(address, part="people", state=state.value if state else "")


@bp.get("/shoots/<uuid:shoot_id>")
@requires(Permission.VIEW_DASHBOARD)
def view(shoot_id: UUID) -> Response:
    """Show how far everyone is, and the people, all or those that a search finds."""
    state, mail = _state(request.args.get("state", "")), _mail_state(request.args.get("mail", ""))
    asked = search.asked()
    with transaction(me().org_id) as session:
        shoot = shoots.get(session, shoot_id)
        style = styles.get(session, shoot.style_id)
        overview = dashboard.overviews(session, [(shoot, style)])[0]
        cost = adapters.cost(session, shoot_id)
        failures = engines.failures(session, shoot_id)
        not_good = rejections.counted(session, shoot_id)
        importing = commits.under_way(session, shoot_id)
        organization = organizations.current(session)
        goes = promises.after_close(organization, shoot)
        open_link = open_links.current(session, shoot) if allowed(me().role, Permission.INVITE) else None
        people = (
            shoots.people(
                session,
                shoot_id,
                state=state,
                mail=mail,
                words=asked.words,
                after_member=uuid_argument("after"),
            )
            if _sees_people()
            else None
        )
        ids = [one.participation.id for one in people.people] if people else []
        unreached, bounces = undelivered.of(session, ids), deliveries.bounces(session, ids)
        faces = gallery.with_picture(session, ids) if allowed(me().role, Permission.DOWNLOAD) else set()
        waiting = gallery.waiting(session, shoot)
    if wants_json():
        return json_answer(
            {
                "id": str(shoot.id),
                "name": shoot.name,
                "closed": shoot.closed_at is not None,
                "style_id": str(shoot.style_id),
                "engine": shoot.engine,
                "cost": asdict(cost),
                "made_by_the_studio_because": failures,
                "not_good_because_at_least": not_good,
                **_counts(overview.counts),
                "people": [
                    {
                        "participation_id": str(person.participation.id),
                        "member_id": str(person.member.id),
                        "name": person.member.full_name,
                        "state": person.participation.seen_by_company,
                        "mail": person.participation.mail_state,
                    }
                    for person in (people.people if people else ())
                ],
            }
        )
    return page(
        "admin/shoot.html",
        one=overview,
        cost=cost if cost.gpu_seconds else None,
        failures=failures,
        not_good={_(rejections.REASONS[reason]): number for reason, number in not_good.items()},
        importing=importing,
        engine=ENGINES[EngineName(shoot.engine)],
        gpu=_gpu(shoot),
        modelled=EngineName(shoot.engine).needs_gpu,
        labelled=organization.label_models,
        unlabelled=_unlabelled(shoot, style, organization),
        shoot=shoot,
        people=people,
        goes=goes,
        open_link=open_link,
        open_link_ends=open_links.ends_at(open_link, shoot) if open_link else None,
        undelivered=unreached,
        faces=faces,
        pictures=overview.counts.done,
        waiting=waiting,
        stuck=overview.counts.stuck(waiting) if shoot.closed_at is None else None,
        bounces=bounces,
        search=asked,
        wanted=state,
        wanted_mail=mail,
        now=now(),
        remindable=reminders.REMINDABLE,
        today=now().date().isoformat(),
        latest=(now().date() + shoots.LONGEST_DEADLINE).isoformat(),
    )


@dataclass(frozen=True)
class Gpu:
    """What the page says about the workers that hold an image model; `workers` is `None` where nobody knows."""

    off: str  # why nothing can be made with it here
    workers: int | None


def _unlabelled(shoot: Shoot, style: Style, organization: Organization) -> list[str]:
    """Return in which sizes of a model-made picture its visible label has no place."""
    label = label_of(shoot.engine, organization.language) if organization.label_models else None
    if label is None:
        return []
    # Only where there are labels: drawing needs libraries that the page does not.
    from workers.studio.label import unlabelled

    return unlabelled(style.parsed, label)


def _gpu(shoot: Shoot) -> Gpu | None:
    """Return how it stands with the GPU workers, for a shoot that needs one."""
    if not EngineName(shoot.engine).needs_gpu or shoot.closed_at is not None:
        return None
    try:
        workers = len(gpu.alive())
    except redis.RedisError:
        workers = None
    off = engines.off(EngineName(shoot.engine))
    return Gpu(failure(off) if off else "", workers)


def _state(text: str) -> State | None:
    try:
        return State(text) if text else None
    except ValueError as error:
        raise InvalidInput(_("There is no such state.")) from error


def _mail_state(text: str) -> MailState | None:
    try:
        return MailState(text) if text else None
    except ValueError as error:
        raise InvalidInput(_("There is no such state.")) from error


@bp.get("/shoots/<uuid:shoot_id>/counts.json")
@requires(Permission.VIEW_DASHBOARD)
def counts(shoot_id: UUID) -> Response:
    """Return the counts that the pages poll."""
    with transaction(me().org_id) as session:
        shoots.get(session, shoot_id)
        return json_answer(_counts(dashboard.counts(session, shoot_id)))


def _counts(found: dashboard.Counts) -> dict[str, object]:
    return {
        "counts": {state.value: number for state, number in found.by_state.items()},
        "mails": {state.value: number for state, number in found.mails.items()},
        "total": found.total,
        "can_finish": found.can_finish,
        "done": found.done,
        "under_way": found.under_way,
        "percent": found.percent,
    }


@bp.post("/shoots/<uuid:shoot_id>/people")
@requires(Permission.INVITE)
def some(shoot_id: UUID) -> Response:
    """Remind, or withdraw the links of, the people who are ticked."""
    ids = request.form.getlist("participation")[:MOST_AT_ONCE]
    if not ids:
        return go(f"/admin/shoots/{shoot_id}", _("Nobody was ticked, so nothing was done."), "warn", sent=0)
    revoking = request.form.get("action") == "revoke"
    if not revoking and not wants_json() and "confirmed" not in request.form:
        with transaction(me().org_id) as session:
            return page("admin/remind_ticked.html", shoot=shoots.get(session, shoot_id), ids=ids)
    acted = 0
    with transaction(me().org_id) as session:
        rows = participations.several(session, [_id(text) for text in ids])
        recent = set() if revoking else reminding.recently_mailed(session, [row.id for row in rows])
        for participation in rows:
            _one(participation, shoot_id)
            if participation.seen_by_company not in reminders.REMINDABLE or participation.id in recent:
                continue
            if revoking:
                invites.revoke(session, participation.id, actor=me().actor)
            else:
                try:
                    reminding.remind(session, participation, actor=me().actor)
                except reminding.NotRemindable:
                    continue
            acted += 1
    left = len(ids) - acted
    message = (
        ngettext("%(num)s link was withdrawn.", "%(num)s links were withdrawn.", acted)
        if revoking
        else ngettext("%(num)s new link is on its way.", "%(num)s new links are on their way.", acted)
    )
    if left:
        message += " " + ngettext(
            "%(num)s person has answered, finished, asked for no reminders or got a link within the last day, and was left alone.",
            "%(num)s people have answered, finished, asked for no reminders or got a link within the last day, and were left alone.",
            left,
        )
    return go(f"/admin/shoots/{shoot_id}", message, sent=acted, left=left)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise InvalidInput(_("This form is not complete. Reload the page and try again.")) from error


def _one(participation: Participation, shoot_id: UUID) -> Participation:
    if participation.shoot_id != shoot_id:
        raise InvalidInput(_("This person is in another shoot."))
    return participation


@bp.post("/shoots/<uuid:shoot_id>/people/<uuid:participation_id>/resend")
@requires(Permission.INVITE)
def resend(shoot_id: UUID, participation_id: UUID) -> Response:
    """Send one person a new link."""
    with transaction(me().org_id) as session:
        participation = _one(participations.get(session, participation_id, lock=True), shoot_id)
        invite = reminding.remind(session, participation, actor=me().actor)
    return go(
        f"/admin/shoots/{shoot_id}",
        _("A new link is on its way. The earlier one works until its mail has left."),
        invite=str(invite.id),
    )


@bp.post("/shoots/<uuid:shoot_id>/people/<uuid:participation_id>/mail")
@requires(Permission.INVITE)
def send_again(shoot_id: UUID, participation_id: UUID) -> Response:
    """Have a mail that has not left tried again now, with the link that it has."""
    with transaction(me().org_id) as session:
        participation = _one(participations.get(session, participation_id), shoot_id)
        undelivered.send_again(session, participation)
    return go(f"/admin/shoots/{shoot_id}", _("The mail is tried again now."))


@bp.post("/shoots/<uuid:shoot_id>/people/<uuid:participation_id>/revoke")
@requires(Permission.INVITE)
def revoke(shoot_id: UUID, participation_id: UUID) -> Response:
    """Make one person's links useless."""
    with transaction(me().org_id) as session:
        participation = _one(participations.get(session, participation_id, lock=True), shoot_id)
        invites.revoke(session, participation.id, actor=me().actor)
    return go(f"/admin/shoots/{shoot_id}", _("The link was withdrawn. You can send a new one at any time."))


@bp.post("/shoots/<uuid:shoot_id>/deadline")
@requires(Permission.MANAGE_SHOOTS)
def move_deadline(shoot_id: UUID) -> Response:
    """End the shoot, and its links, with another day."""
    try:
        with transaction(me().org_id) as session:
            shoot = shoots.get(session, shoot_id, lock=True)
            with_it, before = shoots.move_deadline(
                session, shoot, day(request.form.get("deadline", "")), actor=me().actor
            )
    except InvalidInput as error:
        return back(error, f"/admin/shoots/{shoot_id}")
    message = " ".join(
        (
            _("The shoot now ends with %(day)s.", day=format_date(shoot.deadline.date(), "long")),
            ngettext("%(num)s link ends with it.", "%(num)s links end with it.", with_it),
            ngettext(
                "%(num)s link ends before, since none works longer than this platform allows.",
                "%(num)s links end before, since none works longer than this platform allows.",
                before,
            )
            if before
            else "",
        )
    ).strip()
    return go(f"/admin/shoots/{shoot_id}", message, links=with_it, earlier=before)


@bp.post("/shoots/<uuid:shoot_id>/close")
@requires(Permission.MANAGE_SHOOTS)
def close(shoot_id: UUID) -> Response:
    """Close the shoot."""
    with transaction(me().org_id) as session:
        ended = shoots.close(session, shoots.get(session, shoot_id, lock=True), actor=me().actor)
    return go(
        f"/admin/shoots/{shoot_id}",
        _("The shoot is closed. Finished headshots can be downloaded for as long as this page says."),
        unfinished=ended,
    )

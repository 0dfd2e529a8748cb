"""The auditor's pages: events, checkpoints, certificates. People appear by pseudonym only.

Whoever does things to people can tell by the time who a pseudonym is; for them, events about people are
left out.
"""

from __future__ import annotations

import csv
import io
import json
import re
import time
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import chain
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError

from admin import event_words
from admin.words import difference
from compliance.bundle.making import files
from compliance.log import daily, listing, tiles
from core.audit import ABOUT_NOBODY, Tag
from core.clock import now
from core.db import transaction
from core.errors import AppError, InvalidInput
from core.models import Role
from core.people import organizations
from core.people.sessions import SignedIn
from core.permissions import Permission, allowed
from core.vault import vault
from core.web import archive
from core.web.answers import back, go, page, uuid_argument
from core.web.app import limiter
from core.web.guards import me, requires

bp = Blueprint("audit", __name__)

TOLD = frozenset({Role.OWNER, Role.AUDITOR})  # who can do something about a log that was rewritten
KNOWN_SECONDS = 30.0
ASKED = ("tag", "since", "until", "person")
PSEUDONYM = re.compile(r"[0-9a-f]{8,64}")  # or its beginning
FIRST_DAY = date(1970, 1, 1)  # an entry's number counts from it, and a day after the last is asked for
SHOWN = 50  # differences on the page; they are kept in full beside the keys
_known: dict[UUID, tuple[bool, float]] = {}


def log_differs(user: SignedIn) -> bool:
    """Whether somebody is to read above every page that their company's log is not what was signed."""
    if user.role not in TOLD:
        return False
    known, until = _known.get(user.org_id, (False, 0.0))
    if time.monotonic() >= until:
        try:
            known = bool(vault().keys.watches.differences(user.org_id, 1))
        except (
            SQLAlchemyError
        ):  # the keys database is away: its own alarm, and pages that work without it go on
            return known
        _known[user.org_id] = (known, time.monotonic() + KNOWN_SECONDS)
    return known


@bp.get("/audit")
@requires(Permission.VIEW_AUDIT)
def index() -> Response:
    """Show events, the newest checkpoint and the certificates."""
    wanted = _wanted()
    with transaction(me().org_id) as session:
        events = listing.events(session, wanted, before=uuid_argument("before"))
        return page(
            "admin/audit.html",
            events=events,
            leaves={event.id: json.loads(event.leaf) for event in events.events},
            state=listing.log_state(session),
            certificates=listing.certificates(session),
            forgotten=listing.forgotten(session),
            statements=listing.statements(session) if wanted.of_people else [],
            of_people=wanted.of_people,
            differences=vault().keys.watches.differences(me().org_id, SHOWN),
            difference_word=difference,
            tags=sorted(
                (one for one in Tag if wanted.of_people or one in ABOUT_NOBODY),
                key=lambda one: str(event_words.name_of(one.value)).casefold(),
            ),
            wanted=wanted,
            checkpoint_emails=organizations.current(session).checkpoint_emails,
            asked=urlencode({name: value for name in ASKED if (value := request.args.get(name))}),
            event_name=event_words.name_of,
            facts_in_words=event_words.said,
        )


@bp.get("/audit/events.csv")
@requires(Permission.VIEW_AUDIT)
@limiter.limit("60 per hour")
def export_csv() -> Response:
    """Send the events that were filtered as a table, oldest first, while they are read."""
    names = {tag.value: str(name) for tag, name in event_words.EVENTS.items()}
    return _sent(_csv(_events(), names), "text/csv", "csv")


@bp.get("/audit/events.jsonl")
@requires(Permission.VIEW_AUDIT)
@limiter.limit("60 per hour")
def export_jsonl() -> Response:
    """Send the events that were filtered as they stand in the log, oldest first, while they are read."""
    return _sent(_jsonl(_events()), "application/jsonl", "jsonl")


def _events() -> Iterator[list[listing.Event]]:
    """Return what was asked for, the first part read already: what is wrong with the question has an answer of its own."""
    parts = listing.all_events(me().org_id, _wanted())
    first = next(parts, None)
    return parts if first is None else chain([first], parts)


def _sent(written: Iterator[str], media_type: str, ending: str) -> Response:
    response = Response(written, mimetype=media_type)
    response.headers.set("Content-Disposition", "attachment", filename=f"events-{now():%Y-%m-%d}.{ending}")
    return response


def _csv(parts: Iterable[list[listing.Event]], names: dict[str, str]) -> Iterator[str]:
    yield "\ufeff"  # without it Excel takes UTF-8 for something else
    rows: list[list[Any]] = [["place", "at", "event", "kind", "by", "about", "facts"]]
    yield _lines(rows)
    for events in parts:
        rows = []
        for event in events:
            leaf = json.loads(event.leaf)
            name, facts = names.get(event.tag, event.tag), json.dumps(leaf["facts"], sort_keys=True)
            rows.append([_place(event), leaf["at"], name, event.tag, leaf["actor"], leaf["subject"], facts])
        yield _lines(rows)


def _lines(rows: Iterable[Iterable[Any]]) -> str:
    target = io.StringIO()
    csv.writer(target, lineterminator="\r\n").writerows(rows)
    return target.getvalue()


def _jsonl(parts: Iterable[list[listing.Event]]) -> Iterator[str]:
    """Yield each event's place and its entry, whose bytes are those that the log hashes."""
    for events in parts:
        yield "".join(
            f'{{"place":{json.dumps(_place(event))},"entry":{event.leaf.decode()}}}\n' for event in events
        )


def _place(event: listing.Event) -> int | None:
    """Return an entry's place as people count, from 1."""
    return None if event.position is None else event.position + 1


def _wanted() -> listing.Wanted:
    of_people = allowed(me().role, Permission.VIEW_EVENTS_OF_PEOPLE)
    return listing.Wanted(
        of_people=of_people,
        tag=_tag(request.args.get("tag", "")),
        since=_day("since"),
        until=_day("until"),
        person=_person() if of_people else "",
    )


def _person() -> str:
    given = request.args.get("person", "").strip().lower()
    if given and not PSEUDONYM.fullmatch(given):
        raise InvalidInput(
            _("A pseudonym has 64 digits and letters from a to f; give at least the first eight.")
        )
    return given


def _day(name: str) -> date | None:
    given = request.args.get(name, "")
    try:
        found = date.fromisoformat(given) if given else None
    except ValueError:
        found = date.max
    if found is not None and not FIRST_DAY <= found < date.max:
        raise InvalidInput(_("Please give a day as year-month-day, such as 2026-11-30."))
    return found


def _tag(text: str) -> Tag | None:
    try:
        return Tag(text) if text else None
    except ValueError as error:
        raise InvalidInput(_("There is no such event.")) from error


@bp.get("/audit/certificates/<uuid:certificate_id>.pdf")
@requires(Permission.VIEW_AUDIT)
def certificate(certificate_id: UUID) -> Response:
    """Send a deletion certificate; it names nobody."""
    with transaction(me().org_id) as session:
        found = listing.certificate(session, certificate_id)
    name = f"deletion-{found.erasure_id}-{found.status.lower()}.pdf"
    return _file(found.pdf, "application/pdf", name)


@bp.get("/audit/statements/<uuid:statement_id>.pdf")
@requires(Permission.VIEW_EVENTS_OF_PEOPLE)
def statement(statement_id: UUID) -> Response:
    """Send a monthly statement; of a small company its counts could tell who took what back, so it is for auditors."""
    with transaction(me().org_id) as session:
        month, pdf = listing.statement(session, statement_id)
    return _file(pdf, "application/pdf", f"statement-{month}.pdf")


@bp.get("/audit/log/tile/entries/<path:path>")
@requires(Permission.VIEW_EVENTS_OF_PEOPLE)
def entries(path: str) -> Response:
    """Send a bundle of entries beside the public tiles of hashes (C2SP tlog-tiles)."""
    wanted = tiles.Tile.parse(path)
    with transaction(me().org_id) as session:
        return Response(tiles.entries(session, wanted), mimetype="application/octet-stream")


@bp.get("/audit/bundle.zip")
@requires(Permission.VIEW_EVENTS_OF_PEOPLE)
@limiter.limit("20 per hour")
def bundle() -> Response:
    """Send everything that the log proves, with a verifier that uses nothing of ours, while it is made."""
    return archive.send(files(me().org_id), f"evidence-{now():%Y-%m-%d}.zip")


@bp.get("/audit/checkpoints/<int:size>.txt")
@requires(Permission.VIEW_AUDIT)
def checkpoint(size: int) -> Response:
    """Send a checkpoint as it was signed (C2SP signed note)."""
    with transaction(me().org_id) as session:
        found = listing.checkpoint(session, size)
    return _file(found.note.encode(), "text/plain", f"checkpoint-{size}.txt")


@bp.post("/audit/checkpoint-mails")
@requires(Permission.MAIL_CHECKPOINTS)
def mail_checkpoints() -> Response:
    """Have the newest checkpoint mailed to other addresses each day."""
    try:
        with transaction(me().org_id) as session:
            daily.name(session, request.form.get("addresses", ""), actor=me().actor)
    except AppError as error:
        return back(error, "/admin/audit")
    return go("/admin/audit", _("Saved. The newest checkpoint goes to these addresses once a day."))


def _file(content: bytes, media_type: str, name: str) -> Response:
    response = Response(content, mimetype=media_type)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response

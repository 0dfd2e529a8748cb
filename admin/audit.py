"""The auditor's pages: events, checkpoints, certificates. People appear by pseudonym only.

Whoever does things to people can tell by the time who a pseudonym is; for them, events about people are
left out.
"""

from __future__ import annotations

import json
import time
from uuid import UUID

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError

from admin.words import difference
from compliance.bundle.making import files
from compliance.log import listing, tiles
from core.audit import ABOUT_NOBODY, Tag
from core.clock import now
from core.db import transaction
from core.errors import InvalidInput
from core.models import Role
from core.people.sessions import SignedIn
from core.permissions import Permission, allowed
from core.vault import vault
from core.web import archive
from core.web.answers import page, uuid_argument
from core.web.app import limiter
from core.web.guards import me, requires

bp = Blueprint("audit", __name__)

TOLD = frozenset({Role.OWNER, Role.AUDITOR})  # who can do something about a log that was rewritten
KNOWN_SECONDS = 30.0
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
    tag = _tag(request.args.get("tag", ""))
    of_people = allowed(me().role, Permission.VIEW_EVENTS_OF_PEOPLE)
    with transaction(me().org_id) as session:
        events = listing.events(session, of_people=of_people, tag=tag, before=uuid_argument("before"))
        return page(
            "admin/audit.html",
            events=events,
            leaves={event.id: json.loads(event.leaf) for event in events.events},
            state=listing.log_state(session),
            certificates=listing.certificates(session),
            of_people=of_people,
            differences=vault().keys.watches.differences(me().org_id, SHOWN),
            difference_word=difference,
            tags=[one for one in Tag if of_people or one in ABOUT_NOBODY],
            tag=tag,
        )


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


@bp.get("/audit/log/tile/entries/<path:path>")
@requires(Permission.VIEW_EVENTS_OF_PEOPLE)
def entries(path: str) -> Response:
    """Send a bundle of entries beside the public tiles of hashes (C2SP tlog-tiles)."""
    wanted = tiles.Tile.parse(path)
    with transaction(me().org_id) as session:
        return Response(tiles.entries(session, wanted), mimetype="application/octet-stream")


@bp.get("/audit/bundle.zip")
@limiter.limit("20 per hour")
@requires(Permission.VIEW_EVENTS_OF_PEOPLE)
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


def _file(content: bytes, media_type: str, name: str) -> Response:
    response = Response(content, mimetype=media_type)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response

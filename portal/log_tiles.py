"""A company's log as static files (C2SP tlog-tiles): its checkpoint, its tree in tiles of hashes, consistency proofs.

A hash says nothing of its entry, which holds a random id. The entries themselves name people by pseudonym and tell when, and
whoever works with those people could tell who is who by that: only auditors have them, behind their sign-in.
"""

from __future__ import annotations

from flask import Blueprint, Response, make_response

from compliance.log import sequencer, tiles
from compliance.log.tiles import Tile
from core.db import transaction
from core.web.app import limiter
from portal.trust import checkpoint_of, organization_of

bp = Blueprint("log_tiles", __name__, url_prefix="/trust/<slug>/log")

FOR_GOOD = "public, max-age=31536000, immutable"
SECONDS = "public, max-age=5"  # a checkpoint changes within seconds (C2SP tlog-tiles, Checkpoints)
LIMIT = "1200 per minute"  # a log of 10,000,000 entries has 39,216 tiles: fetched within 33 minutes


@bp.get("/checkpoint")
@limiter.limit(LIMIT)
def checkpoint(slug: str) -> Response:
    """Return the newest signed checkpoint."""
    return cached(checkpoint_of(slug), "text/plain; charset=utf-8", SECONDS)


@bp.get("/tile/<int:level>/<path:path>")
@limiter.limit(LIMIT)
def tile(slug: str, level: int, path: str) -> Response:
    """Return a tile of hashes."""
    wanted = Tile.parse(path)
    with transaction(organization_of(slug)) as session:
        content = tiles.hashes(session, level, wanted)
    return cached(content, "application/octet-stream", FOR_GOOD)


@bp.get("/consistency/<int:old>/<int:new>")
@limiter.limit("120 per minute")
def consistency(slug: str, old: int, new: int) -> Response:
    """Return the proof that the log of a checkpoint begins with what an earlier one signed, as a witness is sent it."""
    with transaction(organization_of(slug)) as session:
        proof = sequencer.prove_consistency(session, old, new)
    return cached(proof.encode(), "text/plain; charset=utf-8", FOR_GOOD)


def cached(content: str | bytes, media_type: str, how_long: str) -> Response:
    """Return a file that any cache may keep."""
    response = make_response(content)
    response.content_type = media_type
    response.headers["Cache-Control"] = how_long
    return response

"""Photos that arrive in pieces."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from compliance import retention
from compliance.erasure import ErasureReason, request
from core import audit
from core.clock import now
from core.db import transaction
from core.models import Arrival, Artifact, Shoot, State
from core.people import members
from core.portraits import arrivals, photos
from core.shoots import shoots
from core.vault import vault

PIECE = 262_144
KEY = "key-00000001"
PHOTO = b"\xff\xd8\xff" + bytes(600_000)


@pytest.fixture
def ready(ada: Any) -> Any:
    """Somebody who may upload."""
    ada.accept().consent(photo="yes", likeness="yes")
    return ada


def send(
    person: Any, at: int, content: bytes = PHOTO, *, size: int | None = None, length: int = PIECE
) -> Any:
    return person.browser.post(
        f"/me/photos/pieces?upload_key={KEY}&at={at}&size={len(content) if size is None else size}",
        data=content[at : at + length],
        headers={"X-Requested-With": "fetch", "X-CSRFToken": person.token("/me/privacy")},
    )


def held(person: Any) -> list[str]:
    with transaction(person.org_id) as session:
        kinds = select(Artifact.kind).where(Artifact.delete_requested_at.is_(None), Artifact.kind != "logo")
        assert len(session.scalars(select(Arrival)).all()) <= 1
        return sorted(session.scalars(kinds))


def test_the_last_piece_makes_the_photo_and_nothing_of_the_pieces_stays(ready: Any) -> None:
    assert send(ready, 0).json == {"received": PIECE}
    assert send(ready, PIECE).json == {"received": 2 * PIECE}
    assert held(ready) == ["piece", "piece"]
    assert ready.state() is State.CONSENTED
    answer = send(ready, 2 * PIECE)
    assert (answer.status_code, answer.json["state"]) == (201, "checking")
    assert held(ready) == ["photo"]
    again = send(ready, 2 * PIECE)
    assert (again.status_code, again.json["id"]) == (200, answer.json["id"])
    with transaction(ready.org_id) as session:
        assert session.scalars(select(Arrival)).all() == []
        assert session.scalars(select(Artifact.size).where(Artifact.kind == "photo")).one() >= len(PHOTO)


@pytest.mark.parametrize("at", [0, 2 * PIECE, -1])
def test_a_piece_out_of_turn_changes_nothing_and_is_told_where_to_go_on(ready: Any, at: int) -> None:
    send(ready, 0)
    answer = send(ready, at, PHOTO + PHOTO)
    assert (answer.status_code, answer.json) == (202, {"received": PIECE})
    assert held(ready) == ["piece"]


def test_what_can_never_be_a_photo_is_refused_with_the_first_piece(ready: Any, shoot: Shoot) -> None:
    assert send(ready, 0, b"Dear diary, " * 50_000).json["error"]["code"] == "not_a_photo"
    assert send(ready, 0, size=40_000_001).json["error"]["code"] == "file_too_large"
    assert send(ready, 0, length=1000).status_code == 422
    assert send(ready, 0, size=1000).status_code == 422
    assert held(ready) == []
    with transaction(ready.org_id) as session:
        session.get_one(Shoot, shoot.id).closed_at = now()
    assert send(ready, 0).status_code == 410


def test_a_photo_too_many_is_refused_before_it_is_sent(ready: Any) -> None:
    for number in range(photos.MAX_PHOTOS):
        ready.upload(b"\xff\xd8\xff" + bytes(500), f"key-1{number:07d}")
    assert send(ready, 0).json["error"]["code"] == "too_many_photos"


def test_without_consent_no_piece_is_taken(ada: Any) -> None:
    assert send(ada.accept(), 0).json["error"]["code"] == "consent_required"


def test_pieces_end_with_the_consent(ready: Any) -> None:
    send(ready, 0)
    assert ready.fetch("/me/decline", alternative="initials").status_code == 200
    assert ready.state() is State.DECLINED
    assert held(ready) == []


def test_pieces_end_with_the_person(ready: Any) -> None:
    send(ready, 0)
    with transaction(ready.org_id) as session:
        member = members.get(session, ready.member.id)
        request(
            session,
            member,
            reason=ErasureReason.SELF_SERVICE,
            actor=audit.actor_for(member),
            language="en",
        )
    assert held(ready) == []
    with transaction(ready.org_id) as session:
        assert session.scalars(select(Arrival)).all() == []


def test_pieces_of_which_the_rest_never_comes_are_kept_for_a_day(ready: Any) -> None:
    send(ready, 0)
    retention.sweep_all()
    assert held(ready) == ["piece"]
    with transaction(ready.org_id) as session:
        session.execute(update(Arrival).values(created_at=now() - timedelta(hours=25)))
    retention.sweep_all()
    assert held(ready) == []


def test_adding_and_removing_waits_for_the_purge(ready: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is removed stays stored until a worker has purged it; meanwhile no more may pile up than is stated."""
    monkeypatch.setattr(arrivals, "MOST_UNPURGED", 4 * PIECE)
    answers = []
    for _ in range(20):
        answers.append(send(ready, 0))
        ready.fetch(f"/me/photos/pieces/remove?upload_key={KEY}")
    assert [one.status_code for one in answers] == [202] * 5 + [429] * 15
    assert answers[-1].json["error"]["code"] == "still_purging"
    with transaction(ready.org_id) as session:
        stored = select(Artifact).where(Artifact.kind == "piece", Artifact.destroyed_at.is_(None))
        held = session.scalars(stored).all()
        assert sum(one.size for one in held) <= 5 * PIECE
        vault().note_destroyed(session, [one.id for one in held if one.delete_requested_at is not None])
    assert send(ready, 0).status_code == 202


@pytest.mark.parametrize("end", ["erased", "withdrawn", "closed", "declined"])
def test_no_piece_is_taken_after_the_end(ready: Any, shoot: Shoot, end: str) -> None:
    """Neither the first, nor the one that goes on, nor the last, which would make the photo."""
    send(ready, 0)
    secret = ready.token("/me/privacy")

    def go_on(at: int, content: bytes) -> Any:
        return ready.browser.post(
            f"/me/photos/pieces?upload_key={KEY}&at={at}&size={len(PHOTO)}",
            data=content,
            headers={"X-Requested-With": "fetch", "X-CSRFToken": secret},
        )

    with transaction(ready.org_id) as session:
        member = members.get(session, ready.member.id)
        if end == "erased":
            request(
                session,
                member,
                reason=ErasureReason.SELF_SERVICE,
                actor=audit.actor_for(member),
                language="en",
            )
        elif end == "closed":
            shoots.close(session, shoots.get(session, shoot.id), actor=audit.SYSTEM)
    if end == "withdrawn":
        ready.fetch("/me/consent/withdraw", purpose="photo", confirm="yes")
    elif end == "declined":
        ready.fetch("/me/decline", alternative="initials")
    for at in (0, PIECE, 2 * PIECE):
        assert go_on(at, PHOTO[at : at + PIECE]).status_code in (401, 403, 409, 410), at
    with transaction(ready.org_id) as session:
        readable = select(Artifact.kind).where(
            Artifact.delete_requested_at.is_(None), Artifact.kind.in_(("piece", "photo"))
        )
        assert session.scalars(readable).all() == (["piece"] if end == "closed" else [])


def test_nobody_goes_on_with_another_persons_photo(ready: Any, invited: Any) -> None:
    send(ready, 0)
    grace = invited("Grace").accept()
    grace.consent()
    assert send(grace, PIECE).json == {"received": 0}
    page = grace.browser.get("/me/photos").text
    assert KEY not in page
    assert KEY in ready.browser.get("/me/photos").text

"""A link that is opened while it ends: whoever waits for that is refused, and no session outlives it."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from conftest import add_member
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from compliance import erasure
from core import audit
from core.db import transaction
from core.models import Member, SignInMethod, WebSession
from core.people import access, data_links, sessions
from core.shoots import devices

End = Callable[[Session, Member], object]


def shut_out(session: Session, member: Member) -> None:
    first = session.scalars(select(WebSession.id).where(WebSession.member_id == member.id)).one()
    devices.shut_out(session, first)


def disable(session: Session, member: Member) -> None:
    access.disable(session, member, actor=audit.SYSTEM)


def erase(session: Session, member: Member) -> None:
    erasure.request(
        session,
        member,
        reason=erasure.ErasureReason.EMPLOYER_REQUEST,
        actor=audit.SYSTEM,
        language="en",
    )


def _data_link(person: Any) -> tuple[str, str]:
    with transaction(person.org_id) as session:
        link = urlsplit(data_links.link_of(session.get_one(Member, person.member.id))).path
    return link, link


def _invitation(person: Any) -> tuple[str, str]:
    return person.link(), f"{person.link()}/accept"


def _until_it_waits_or_is_done(session: Session, thread: Thread) -> None:
    deadline = time.monotonic() + 20
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    while thread.is_alive() and not session.scalar(waiting):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("link_of", [_invitation, _data_link])
@pytest.mark.parametrize("end", [shut_out, disable, erase])
def test_a_link_that_is_opened_while_it_ends_opens_nothing(
    ada: Any, portal: Flask, end: End, link_of: Callable[[Any], tuple[str, str]]
) -> None:
    ada.accept()
    page, form = link_of(ada)
    stranger = portal.test_client()
    opened = type(ada)(ada.org_id, ada.member, ada.participation_id, stranger)
    token = opened.token(page)
    answers: list[int] = []

    def post() -> None:
        answers.append(stranger.post(form, data={"csrf_token": token}).status_code)

    thread = Thread(target=post)
    with transaction(ada.org_id) as session:
        end(session, session.get_one(Member, ada.member.id))
        session.flush()
        thread.start()
        _until_it_waits_or_is_done(session, thread)
        assert thread.is_alive(), "it was let in without waiting for what was under way"
    thread.join()
    assert answers[0] in (404, 410)
    assert stranger.get("/me/privacy").status_code == 401
    with transaction(ada.org_id) as session:
        rows = session.scalars(select(WebSession).where(WebSession.member_id == ada.member.id)).all()
        assert all(row.ended_at is not None and row.device_sha256 is None for row in rows) or end is disable
        assert len(rows) == 1, "only the one from before"


@pytest.mark.parametrize("end", [disable, erase])
def test_no_session_begins_for_whoever_may_not_come_in(ada: Any, end: End) -> None:
    with transaction(ada.org_id) as session:
        member = session.get_one(Member, ada.member.id)
        end(session, member)
        for method in SignInMethod:
            with pytest.raises(sessions.AccessOver):
                sessions.start(session, member, method)


def test_sessions_wait_for_whoever_is_at_the_person(org: Any) -> None:
    late = add_member(org)
    refused: list[Exception] = []

    def sign_in() -> None:
        try:
            with transaction(org) as session:
                sessions.start(session, session.get_one(Member, late.id), SignInMethod.SAML)
        except sessions.AccessOver as error:
            refused.append(error)

    thread = Thread(target=sign_in)
    with transaction(org) as session:
        disable(session, session.get_one(Member, late.id))
        thread.start()
        _until_it_waits_or_is_done(session, thread)
    thread.join()
    assert len(refused) == 1

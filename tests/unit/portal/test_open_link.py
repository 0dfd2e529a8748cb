"""A shoot's open link: whoever has an address of the company gets an invitation of their own, and nobody learns who did."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
import structlog
from browser.visitors import until
from conftest import add_member
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from reading import english_in
from sqlalchemy import func, select, text, update

from compliance import erasure
from compliance.requests import export
from core import audit, locks, logs
from core.clock import now
from core.db import engine, transaction
from core.models import (
    AuditEvent,
    Invite,
    Member,
    OpenLink,
    Outbox,
    Participation,
    Shoot,
    SignInMethod,
    State,
)
from core.people import access, members, organizations, sessions
from core.people.facts import Fact
from core.queue import JobName
from core.shoots import invites, letters, open_links, shoots
from core.vault import vault
from portal import open_link as pages

ADA = {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@acme.example"}


@pytest.fixture
def stranger(portal: Flask) -> FlaskClient:
    """A browser that was never here."""
    return portal.test_client()


def make(org: UUID, shoot: Shoot, *, domains: str = "acme.example", most: int = 50, days: int = 10) -> str:
    """Make an open link; return its path."""
    with transaction(org) as session:
        link = open_links.create(
            session,
            shoots.get(session, shoot.id, lock=True),
            domains=domains,
            most=most,
            last_day=(now() + timedelta(days=days)).date(),
            free_mail=False,
            actor=audit.SYSTEM,
        )
        return f"/j/{open_links.token_of(link)}"


@pytest.fixture
def link(org: UUID, shoot: Shoot) -> str:
    """The path of an open link of the shoot."""
    return make(org, shoot)


def sign_up(browser: FlaskClient, link: str, *, patient: bool = True, **said: str) -> Any:
    page = browser.get(link)
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found, page.text
    if patient:  # a test about other things has no need to wait
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pages, "EVEN_SECONDS", 0.0)
            return browser.post(link, data={"csrf_token": found[1], **ADA, **said})
    return browser.post(link, data={"csrf_token": found[1], **ADA, **said})


def people(org: UUID) -> list[tuple[str | None, str, str]]:
    with transaction(org) as session:
        rows = session.execute(
            select(Member, Participation.state)
            .join(Participation, Participation.member_id == Member.id)
            .order_by(Member.id)
        )
        return [(member.email, member.full_name, state) for member, state in rows]


def owed(org: UUID) -> int:
    with transaction(org) as session:
        asked = select(func.count()).where(Outbox.job == JobName.INVITE_MAIL, Outbox.done_at.is_(None))
        return session.scalars(asked).one()


def joined(org: UUID) -> int:
    with transaction(org) as session:
        return session.scalars(select(OpenLink.joined).where(OpenLink.revoked_at.is_(None))).one()


def older(org: UUID) -> None:
    """Let every invitation be of an hour ago."""
    with transaction(org) as session:
        session.execute(update(Invite).values(created_at=now() - timedelta(hours=1)))


def tags(org: UUID) -> list[str]:
    with transaction(org) as session:
        return list(session.scalars(select(AuditEvent.tag).order_by(AuditEvent.id)))


def test_looking_changes_nothing_and_says_whose_it_is(
    org: UUID, link: str, shoot: Shoot, stranger: FlaskClient
) -> None:
    before = tags(org)
    for _ in range(3):
        page = stranger.get(link)
    assert page.status_code == 200
    for word in ("Invitation from Acme", "Spring", "@acme.example"):
        assert word in page.text
    assert tags(org) == before
    assert people(org) == []


def test_whoever_signs_up_gets_their_own_link_by_mail_and_goes_the_usual_way(
    org: UUID, link: str, portal: Flask, stranger: FlaskClient
) -> None:
    answer = sign_up(stranger, link, email=" ADA@Acme.example ")
    assert (answer.status_code, answer.location) == (303, f"{link}/sent")
    assert "Look into your mail" in stranger.get(answer.location).text
    assert stranger.get("/me/").status_code == 401, "the form signs nobody in"
    assert people(org) == [("ada@acme.example", "Ada Lovelace", State.INVITED)]
    with transaction(org) as session:
        invite = session.scalars(select(Invite)).one()
        mail = letters.invitation(session, invite)
        assert mail.to == "ada@acme.example"
        path = f"/i/{invites.token_of(invite)}"
        assert path in mail.text
    own = portal.test_client()
    page = own.get(path)
    assert "Ada, it is time for your headshot" in page.text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token
    assert own.post(f"{path}/accept", data={"csrf_token": token[1]}).location == "/me/consent"
    assert joined(org) == 1
    said = tags(org)
    assert [one for one in said if one.startswith(("member.", "open_link.", "invite.created"))] == [
        "open_link.created",
        "member.joined",
        "invite.created",
        "open_link.joined",
    ]


def test_their_report_says_that_they_signed_up_and_names_no_list(
    org: UUID, link: str, stranger: FlaskClient
) -> None:
    sign_up(stranger, link)
    with transaction(org) as session:
        member = session.scalars(select(Member)).one()
        words = "\n".join(export.plan(session, member, "en").report.words())
    assert "at an open link of the company’s, where people sign up themselves" in words
    assert "from a list that the company gave" not in words
    assert "You joined a shoot by an open link" in words


def test_a_person_of_the_company_stays_as_they_are_known(org: UUID, link: str, stranger: FlaskClient) -> None:
    known = add_member(org, "Ada")
    sign_up(stranger, link, first_name="Eve", last_name="Somebody")
    with transaction(org) as session:
        assert session.scalars(select(Member.id)).all() == [known.id]
    assert people(org) == [("ada@acme.example", "Ada Example", State.INVITED)]
    assert joined(org) == 1
    assert "member.joined" not in tags(org)


def test_another_spelling_of_an_address_is_the_same_person(
    org: UUID, shoot: Shoot, stranger: FlaskClient
) -> None:
    add_member(org, "Ada", email="ada@bücher.example")
    link = make(org, shoot, domains="Bücher.example, acme.example")
    assert "@bücher.example" in stranger.get(link).text
    assert sign_up(stranger, link, email="Ada@xn--bcher-kva.example").status_code == 303
    assert len(people(org)) == 1


def test_who_is_in_the_shoot_is_mailed_their_link_again_and_not_twice_in_ten_minutes(
    org: UUID, link: str, ada: Any, stranger: FlaskClient
) -> None:
    assert owed(org) == 1
    sign_up(stranger, link)
    assert owed(org) == 1, "the first mail is younger than that"
    older(org)
    for _ in range(2):
        assert sign_up(stranger, link).location == f"{link}/sent"
        assert owed(org) == 2
    assert joined(org) == 0, "nobody was added"
    assert "open_link.joined" not in tags(org)


def test_an_invitation_that_hr_withdrew_stays_so(
    org: UUID, link: str, ada: Any, stranger: FlaskClient
) -> None:
    with transaction(org) as session:
        invites.revoke(session, ada.participation_id, actor=audit.SYSTEM)
    older(org)
    assert sign_up(stranger, link).location == f"{link}/sent"
    assert owed(org) == 1, "of the first invitation"


@pytest.mark.parametrize("why", ["disabled", "restricted"])
@pytest.mark.parametrize("is_in", [False, True])
def test_who_has_no_access_is_not_invited_and_the_answer_does_not_say_so(
    org: UUID, link: str, invited: Callable[[str], Any], stranger: FlaskClient, why: str, is_in: bool
) -> None:
    member = invited("Ada").member if is_in else add_member(org, "Ada")
    older(org)
    before = owed(org)
    with transaction(org) as session:
        person = session.get_one(Member, member.id)
        if why == "disabled":
            access.disable(session, person, actor=audit.SYSTEM)
        else:
            person.restricted_at = now()
    answer = sign_up(stranger, link)
    assert (answer.status_code, answer.location) == (303, f"{link}/sent")
    assert (owed(org), joined(org)) == (before, 0)


def test_who_was_erased_comes_back_as_somebody_new(
    org: UUID, link: str, ada: Any, stranger: FlaskClient
) -> None:
    with transaction(org) as session:
        locks.whole_person(session, ada.member.id)
        member = session.get_one(Member, ada.member.id)
        reason = erasure.ErasureReason.SELF_SERVICE
        erasure.request(session, member, reason=reason, actor=audit.SYSTEM, language="en")
    assert sign_up(stranger, link).location == f"{link}/sent"
    with transaction(org) as session:
        kept, new = session.scalars(select(Member).order_by(Member.id)).all()
        assert (kept.id, kept.email, new.email) == (ada.member.id, None, "ada@acme.example")


def test_another_domain_is_refused_in_words_and_what_was_typed_stays(
    org: UUID, link: str, stranger: FlaskClient
) -> None:
    for email in ("ada@evil.example", "ada@sub.acme.example", "ada@acme.example.evil.example"):
        answer = sign_up(stranger, link, email=email)
        assert answer.status_code == 422
        assert "It ends with @acme.example." in answer.text
        page = html.fromstring(answer.text)
        assert page.xpath("string(//input[@name='first_name']/@value)") == "Ada"
        assert page.xpath("//input[@name='email']/@aria-invalid") == ["true"]
    assert people(org) == []


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"first_name": "", "last_name": " "}, "Enter your name, please."),
        ({"email": ""}, "Enter your mail address, please."),
        ({"email": "ada"}, "not complete"),
        ({"email": "ada@acme.example\r\nBcc: all@evil.example"}, "not complete"),
        ({"first_name": "=cmd()"}, "begins with a letter"),
        ({"first_name": "A\x1bda"}, "signs that nobody sees"),
        ({"first_name": "A" * 81}, "too long"),
        ({"first_name": "<b>Ada</b>"}, "names do not have"),
        ({"last_name": "won 100 at evil.example"}, "Enter your name alone"),
        ({"last_name": "see https://evil"}, "Enter your name alone"),
        ({"email": "jürgen@acme.example"}, "cannot have: ü"),
    ],
)
def test_what_cannot_stand_in_a_mail_is_refused(
    org: UUID, link: str, stranger: FlaskClient, said: dict[str, str], words: str
) -> None:
    answer = sign_up(stranger, link, **said)
    assert answer.status_code == 422
    assert words in answer.text
    assert "<b>Ada" not in answer.text
    assert people(org) == []


@pytest.mark.parametrize("name", ["Jean-Luc O’Neil", "Martin King Jr.", "José María", "李"])
def test_usual_names_are_taken(org: UUID, link: str, stranger: FlaskClient, name: str) -> None:
    assert sign_up(stranger, link, first_name=name).status_code == 303
    assert people(org)[0][1] == f"{name} Lovelace"


def test_the_invitation_is_in_the_language_of_the_page(org: UUID, link: str, stranger: FlaskClient) -> None:
    page = stranger.get(f"{link}?lang=de")
    assert '<html lang="de">' in page.text
    assert english_in(page.text, "Headshots") == []
    assert "deine Mailadresse im Unternehmen" in sign_up(stranger, link, email="a@evil.example").text
    sent = stranger.get(sign_up(stranger, link).location)
    assert english_in(sent.text, "Headshots") == []
    with transaction(org) as session:
        assert session.scalars(select(Member.language)).all() == ["de"]


def change(org: UUID, shoot: Shoot, why: str) -> None:
    with transaction(org) as session:
        found = shoots.get(session, shoot.id, lock=True)
        kept = open_links.current(session, found)
        assert kept
        match why:
            case "revoked":
                open_links.revoke(session, kept, actor=audit.SYSTEM)
            case "closed":
                shoots.close(session, found, actor=audit.SYSTEM)
            case "over":
                kept.ends_at = now() - timedelta(minutes=1)
            case "deadline":
                found.deadline = now() - timedelta(minutes=1)
            case "full":
                kept.joined = kept.most


ENDINGS = [
    ("revoked", "withdrawn this link"),
    ("closed", "This shoot has ended"),
    ("over", "The last day of this link is over"),
    ("deadline", "The last day of this link is over"),
    ("full", "As many people have joined"),
]


@pytest.mark.parametrize(("why", "words"), ENDINGS)
def test_a_link_that_is_over_says_why_and_what_to_do(
    org: UUID, link: str, shoot: Shoot, stranger: FlaskClient, why: str, words: str
) -> None:
    found = re.search(r'name="csrf_token" value="([^"]+)"', stranger.get(link).text)
    assert found
    change(org, shoot, why)
    for answer in (
        stranger.get(link),
        stranger.post(link, data={"csrf_token": found[1], **ADA}),  # of a page that was open before
    ):
        assert answer.status_code == 410
        assert words in answer.text
        assert "ask whoever organises" in answer.text.lower()
        assert 'href="/trust/acme/data"' in answer.text
    assert people(org) == []
    told = stranger.get(link, headers={"Accept": "application/json"})
    assert (told.status_code, told.json["error"]["code"]) == (410, "open_link_over")
    assert english_in(stranger.get(f"{link}?lang=de").text, "Headshots") == []


def test_a_shoot_that_is_opened_again_has_its_link_again(
    org: UUID, link: str, shoot: Shoot, stranger: FlaskClient
) -> None:
    change(org, shoot, "closed")
    with transaction(org) as session:
        session.get_one(Shoot, shoot.id).closed_at = None
    assert stranger.get(link).status_code == 200


def test_a_deadline_that_moves_takes_the_link_along_as_far_as_it_goes(
    org: UUID, link: str, shoot: Shoot
) -> None:
    with transaction(org) as session:
        found = shoots.get(session, shoot.id, lock=True)
        kept = open_links.current(session, found)
        assert kept
        own = kept.ends_at
        assert open_links.ends_at(kept, found) == own
        earlier = (now() + timedelta(days=3)).date()
        shoots.move_deadline(session, found, earlier, actor=audit.SYSTEM)
        assert open_links.ends_at(kept, found).date() == earlier
        shoots.move_deadline(session, found, (now() + timedelta(days=30)).date(), actor=audit.SYSTEM)
        assert open_links.ends_at(kept, found) == own, "never later than HR said"


def test_a_company_that_left_adds_nobody(org: UUID, link: str, shoot: Shoot, stranger: FlaskClient) -> None:
    """Also where a restored database has its shoot open: the ledger beside the keys says that it left."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', stranger.get(link).text)
    assert found
    vault().keys.destroy(org)
    answer = stranger.post(link, data={"csrf_token": found[1], **ADA})
    assert answer.status_code == 410
    assert "This shoot has ended" in answer.text
    assert people(org) == []


def test_two_at_once_do_not_share_the_last_place(org: UUID, shoot: Shoot) -> None:
    """Through two connections, each in a transaction of its own that begins before the other ends."""
    make(org, shoot, most=3)
    with transaction(org) as session:
        link_id = session.scalars(select(OpenLink.id)).one()
    rivals = 8
    met = Barrier(rivals, timeout=30)

    def one(number: int) -> str:
        said = {
            Fact.EMAIL: f"p{number}@acme.example",
            Fact.FIRST_NAME: "P",
            Fact.LAST_NAME: str(number),
            Fact.LANGUAGE: "en",
        }
        try:
            with transaction(org) as session:
                open_links.usable(session, link_id)
                met.wait()
                open_links.join(session, link_id, said)
        except open_links.OpenLinkOver as over:
            return str(over.details["reason"])
        return "joined"

    with ThreadPoolExecutor(rivals) as pool:
        ended = list(pool.map(one, range(rivals)))
    assert sorted(ended) == ["full"] * (rivals - 3) + ["joined"] * 3
    assert joined(org) == 3
    assert len(people(org)) == 3


def test_the_same_address_at_once_is_one_person(org: UUID, link: str, portal: Flask) -> None:
    met = Barrier(4, timeout=30)

    def one(_: int) -> int:
        browser = portal.test_client()
        found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(link).text)
        assert found
        met.wait()
        return browser.post(link, data={"csrf_token": found[1], **ADA}).status_code

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(one, range(4)))
    assert answers == [303, 303, 303, 429], "and an address is taken three times an hour"
    assert len(people(org)) == 1
    assert (owed(org), joined(org)) == (1, 1)


def test_whom_hr_adds_at_that_very_moment_is_found(org: UUID, link: str, stranger: FlaskClient) -> None:
    """The form looks before HR's transaction has committed, and waits for it at the address."""
    known = members.NewMember("ada@acme.example", "Ada", "Example")
    with ThreadPoolExecutor(1) as pool:
        with transaction(org) as session:
            members.add(session, [known], actor=audit.SYSTEM, tag=audit.Tag.MEMBER_IMPORTED)
            answer = pool.submit(sign_up, stranger, link)
            until(somebody_waits, "somebody who waits for a lock")
        assert answer.result().location == f"{link}/sent"
    assert people(org) == [("ada@acme.example", "Ada Example", State.INVITED)]


def somebody_waits() -> bool:
    with engine().connect() as connection:
        return bool(connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


def test_closing_waits_for_whoever_joins_and_ends_their_link(org: UUID, link: str, shoot: Shoot) -> None:
    """Whatever comes first, nobody is left with an invitation to a closed shoot."""
    with transaction(org) as session:
        link_id = session.scalars(select(OpenLink.id)).one()
    met = Barrier(2, timeout=30)
    said = {Fact.EMAIL: ADA["email"], Fact.FIRST_NAME: "Ada", Fact.LAST_NAME: "", Fact.LANGUAGE: "en"}

    def join() -> None:
        try:
            with transaction(org) as session:
                session.scalars(select(OpenLink.id)).one()
                met.wait()
                open_links.join(session, link_id, said)
        except open_links.OpenLinkOver:
            pass  # it was closed first

    def close() -> None:
        with transaction(org) as session:
            session.scalars(select(OpenLink.id)).one()
            met.wait()
            shoots.close(session, shoots.get(session, shoot.id, lock=True), actor=audit.SYSTEM)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(join), pool.submit(close)]:
            done.result()
    assert [state for *_, state in people(org)] in ([], [State.EXPIRED])


def test_the_answer_and_its_time_are_the_same_for_every_address(
    org: UUID, link: str, ada: Any, portal: Flask
) -> None:
    off = add_member(org, "Grace")
    with transaction(org) as session:
        access.disable(session, session.get_one(Member, off.id), actor=audit.SYSTEM)
    older(org)
    sign_up(portal.test_client(), link, email="warm@acme.example")
    seen = []
    for email in ("ada@acme.example", "grace@acme.example", "nobody@acme.example"):
        browser = portal.test_client()
        begun = time.perf_counter()
        answer = sign_up(browser, link, patient=False, email=email)
        took = time.perf_counter() - begun
        page = re.sub(r'nonce="[^"]+"|nonce-\S+', "", browser.get(answer.location).text)
        seen.append((answer.status_code, answer.location, page))
        assert took >= pages.EVEN_SECONDS
        assert email not in page
    assert len(set(seen)) == 1


def test_one_address_is_taken_only_so_often_in_any_spelling(org: UUID, link: str, portal: Flask) -> None:
    answers = [
        sign_up(portal.test_client(), link, email=one).status_code
        for one in ("ada@acme.example", "ADA@acme.example", " ada@acme.example", "ada@ac\u00adme.example")
    ]
    assert answers == [303, 303, 303, 429]


def test_a_program_is_held_back_by_its_address_and_by_the_link(org: UUID, link: str, portal: Flask) -> None:
    portal.config["WTF_CSRF_ENABLED"] = False
    browser = portal.test_client()

    def send(number: int, caller: str) -> int:
        said = {**ADA, "email": f"p{number}@elsewhere.example"}
        return browser.post(link, data=said, environ_base={"REMOTE_ADDR": caller}).status_code

    assert [send(number, "192.0.2.1") for number in range(121)][-2:] == [422, 429]
    of_link = [send(number, f"192.0.2.{number // 100}") for number in range(200, 330)]
    assert of_link[0] == 422
    assert of_link[-1] == 429, "from whatever address"


def test_no_form_secret_no_invitation(org: UUID, link: str, stranger: FlaskClient) -> None:
    stranger.get(link)
    assert stranger.post(link, data=ADA).status_code == 400
    assert people(org) == []


@pytest.fixture
def talkative(environment: dict[str, str]) -> Iterator[None]:
    """Logs as in production, each request in a line."""
    logs.configure("INFO")
    yield
    logs.configure()


def test_a_token_is_known_by_its_hash_and_by_nothing_else(
    org: UUID, link: str, stranger: FlaskClient, talkative: None
) -> None:
    token = link.rpartition("/")[2]
    with structlog.testing.capture_logs() as lines:
        sign_up(stranger, link)
    assert {line["route"] for line in lines if line["event"] == "request"} == {"/j/<token>"}
    assert token not in str(lines)
    for place in range(0, len(token), 5):
        other = "A" if token[place] != "A" else "B"
        assert stranger.get(f"/j/{token[:place]}{other}{token[place + 1 :]}").status_code == 404
    for wrong in ("x", token[:-2], token + "AAAA", "ä"):
        assert stranger.get(f"/j/{wrong}").status_code == 404
    assert stranger.get(f"/i/{token}").status_code == 404, "it is no invitation"
    with transaction(org) as session:
        row = session.scalars(select(OpenLink)).one()
        values = [str(getattr(row, column.key)) for column in OpenLink.__table__.columns]
        said = " ".join(str(event) for event in session.scalars(select(AuditEvent.facts)))
    assert token not in " ".join(values) + said


def test_a_link_leads_into_its_own_company_alone(org: UUID, link: str, stranger: FlaskClient) -> None:
    """The token says which company; that somebody else is known elsewhere changes nothing."""
    other = organizations.create("globex", "Globex")
    add_member(other, "Ada", email="ada@acme.example")
    sign_up(stranger, link)
    assert people(other) == []
    assert people(org) == [("ada@acme.example", "Ada Lovelace", State.INVITED)]


def test_who_came_by_a_link_to_their_data_can_still_open_it(
    org: UUID, link: str, ada: Any, stranger: FlaskClient
) -> None:
    with transaction(org) as session:
        member = session.get_one(Member, ada.member.id)
        secret = sessions.start(session, member, SignInMethod.DATA)
    stranger.set_cookie("portal_session", secret)
    assert stranger.get(link).status_code == 200

"""By whose law somebody is asked, what a release needs, and when a changed text is asked about again."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from compliance import consent, schedule
from compliance.consent.texts import Notice, notice, purposes_of
from core.clock import now
from core.consent import Purpose
from core.db import transaction
from core.models import Consent, Member, Participation, Photo, Shoot, ShownNotice
from core.people import consents, organizations
from core.settings import LOCAL_REGION, settings
from core.shoots import promises


def answers_of(person: Any) -> dict[str, Consent]:
    with transaction(person.org_id) as session:
        return {row.purpose: row for row in session.scalars(select(Consent).order_by(Consent.id))}


def say(person: Any, place: str) -> Any:
    return person.post("/me/place", "/me/consent", place=place)


def test_the_text_follows_where_the_person_works_and_they_say_it_themselves(ada: Any) -> None:
    page = ada.accept().browser.get("/me/consent").text
    assert "Nobody has said where you work" in page
    assert "Art. 6(1)(a) GDPR" in page
    assert say(ada, "GB").location == "/me/consent"
    page = ada.browser.get("/me/consent").text
    assert "You work in United Kingdom. Not right?" in page
    assert "UK GDPR" in page
    assert ada.consent(photo="yes").status_code == 303
    assert answers_of(ada)["photo"].regime == "uk"
    assert ada.post("/me/place", "/me/privacy", place="Narnia").status_code == 303
    with transaction(ada.org_id) as session:
        assert session.get_one(Member, ada.member.id).place == "GB"


def test_the_whole_page_is_kept_once_and_each_answer_leads_to_it(ada: Any) -> None:
    ada.accept().consent(photo="yes")
    rows = answers_of(ada)
    with transaction(ada.org_id) as session:
        (kept,) = session.scalars(select(ShownNotice))
    assert {row.notice_sha256 for row in rows.values()} == {kept.sha256}
    assert "{" not in json.loads(kept.content)["intro"]
    assert {one.purpose: one.sha256 for one in purposes_of(kept.content.encode())} == {
        purpose: row.text_sha256 for purpose, row in rows.items()
    }


@pytest.fixture
def illinois(ada: Any) -> Any:
    ada.accept()
    say(ada, "US-IL")
    return ada


def test_a_release_is_read_in_full_before_it_is_signed_with_name_and_state(
    illinois: Any, shoot: Shoot
) -> None:
    page = illinois.browser.get("/me/consent").text
    form = page[page.index('id="question"') : page.index("I agree to what I ticked")]
    last = (shoot.deadline + timedelta(days=60)).date()
    assert f"{last:%B} {last.day}, {last.year} at the latest" in page.replace("On that day", "")
    assert "The only purpose is" in form, "the purpose, without unfolding anything"
    assert "The term: 30 days after you approve, and not beyond" in form
    assert 'value="US-IL" selected' in form
    for typed in (
        {},
        {"signed_name": "  ", "signed_state": "US-IL"},
        {"signed_name": "Ada Byron", "signed_state": ""},
        {"signed_name": "X", "signed_state": "US-IL"},
        {"signed_name": "Ada", "signed_state": "US-IL"},
        {"signed_name": "Mickey Mouse", "signed_state": "US-IL"},
    ):
        refused = illinois.consent(photo="yes", likeness="yes", **typed)
        assert refused.status_code == 422
        assert re.search('id="likeness"[^>]* checked', refused.text), "what was ticked stays"
    assert "names that your company has of you" in refused.text
    assert "has you as Ada Lovelace." in page
    assert answers_of(illinois) == {}
    done = illinois.consent(photo="yes", likeness="yes", signed_name=" Ada  Byron ", signed_state="US-IL")
    assert done.status_code == 303
    rows = answers_of(illinois)
    assert consent.signature_of(rows["likeness"]) == consent.Signature("Ada Byron", "US-IL")
    assert b"Byron" not in (rows["likeness"].signed or b"")
    assert rows["photo"].signed is None
    assert "Signed as Ada Byron, Illinois, United States" in illinois.browser.get("/me/privacy").text


@pytest.mark.parametrize(
    ("first", "last", "typed", "holds"),
    [
        ("Zoë", "Müller-Łukasz", "ZOE Lukasz", True),
        ("Zoë", "Müller", "Zoë", False),
        ("Zoë", "Müller", "Anna Schmidt", False),
        ("Cher", "", "cher", True),
        ("Cher", "", "X", False),
        ("小明", "王", "王小明", True),
        ("", "", "Ada Byron", True),
        ("", "", "X", False),
    ],
)
def test_a_release_is_signed_with_a_name_that_is_its_persons(
    illinois: Any, first: str, last: str, typed: str, *, holds: bool
) -> None:
    with transaction(illinois.org_id) as session:
        member = session.get_one(Member, illinois.member.id)
        member.first_name, member.last_name = first, last
    answer = illinois.consent(photo="yes", likeness="yes", signed_name=typed, signed_state="US-IL")
    assert answer.status_code == (303 if holds else 422)


def test_a_text_that_exists_in_english_alone_makes_the_whole_page_english(
    illinois: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADSHOTS_STORAGE_REGION", LOCAL_REGION)  # the one that is known in German, too
    settings.cache_clear()
    page = illinois.browser.get("/me/consent?lang=de").text
    assert '<html lang="en">' in page
    assert 'lang="de">Den Text' in page, "the reader is told why, in their own language"
    assert "My release, in writing" in page
    assert "Why, who and how long" in page
    assert "below" not in page
    assert "public trust page" in page
    assert f"encrypted in {LOCAL_REGION}" in page
    monkeypatch.undo()
    settings.cache_clear()


def test_without_a_release_nothing_has_to_be_signed_and_no_day_is_promised(illinois: Any) -> None:
    assert illinois.consent(photo="yes").status_code == 303
    with transaction(illinois.org_id) as session:
        assert session.get_one(Participation, illinois.participation_id).destroy_by is None


def test_the_day_that_a_release_names_is_kept_when_the_deadline_moves(illinois: Any, shoot: Shoot) -> None:
    illinois.consent(photo="yes", likeness="yes", signed_name="Ada Lovelace", signed_state="US-IL")
    illinois.upload()
    with transaction(illinois.org_id) as session:
        row = session.get_one(Participation, illinois.participation_id)
        assert row.destroy_by == promises.latest(organizations.current(session), shoot)
        session.get_one(Shoot, shoot.id).deadline = now() + timedelta(days=400)
        session.flush()
        ends = schedule.photo_ends(organizations.current(session))
        question = schedule.photos_held(ends)
        assert session.scalars(question).one() == row.destroy_by


def words(session: Session, **changes: Any) -> Notice:
    shown = notice(
        "gdpr",
        "en",
        company="Acme",
        processor="Us",
        region="here",
        retention_days=30,
        headshot_days=30,
        leaver_days=90,
        latest=now().date(),
        today=now().date(),
    )
    asked = {purpose: shown.purposes[purpose] for purpose in (Purpose.PHOTO, Purpose.LIKENESS)}
    return replace(shown, purposes=asked, **changes)


@pytest.mark.parametrize(
    ("material", "regime", "asked"),
    [
        ("2026-11.6", "gdpr", False),
        ("2026-11.10", "gdpr", True),
        ("2027-01.1", "gdpr", True),
        ("2026-11.6", "uk", True),
    ],
)
def test_a_changed_text_asks_again_only_where_it_matters(
    ada: Any, material: str, regime: str, asked: bool
) -> None:
    ada.accept().consent(photo="yes", likeness="yes")
    with transaction(ada.org_id) as session:
        shown = words(session, version="2027-01.1", material=material, regime=regime)
        current = consent.current(session, ada.member.id, shown)
        assert (Purpose.LIKENESS not in current) is asked
        # Left empty: what stands stays; what was asked again ends, and is refused.
        row = session.get_one(Participation, ada.participation_id)
        consent.give(session, row, {Purpose.PHOTO: True}, shown)
        assert (Purpose.LIKENESS in consents.agreed(session, ada.member.id)) is not asked


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        ("withdrawn_at = now()", True),
        ("signed = NULL", True),
        ("granted = NOT granted", False),
        ("regime = 'other'", False),
        ("text_sha256 = repeat('1', 64)", False),
        ("created_at = now()", False),
        ("signed = 'forged'", False),
    ],
)
@pytest.mark.parametrize("role", ["HEADSHOTS_DATABASE_URL", "HEADSHOTS_DATABASE_OWNER_URL"])
def test_nothing_of_an_answer_changes_but_that_it_was_taken_back(
    ada: Any, environment: dict[str, str], change: str, allowed: bool, role: str
) -> None:
    ada.accept().consent(photo="yes")
    engine = create_engine(environment[role])
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT set_config('app.org_id', :org, false)"), {"org": str(ada.org_id)})
            if allowed:
                assert connection.execute(text(f"UPDATE consents SET {change}")).rowcount == 2
                if "withdrawn" in change:
                    with pytest.raises(DBAPIError, match="stays so"):
                        connection.execute(text("UPDATE consents SET withdrawn_at = NULL"))
            else:
                with pytest.raises(DBAPIError, match=r"permission denied|not changed"):
                    connection.execute(text(f"UPDATE consents SET {change}"))
    finally:
        engine.dispose()


def test_the_role_of_the_app_deletes_no_answer_and_no_text(ada: Any, environment: dict[str, str]) -> None:
    engine = create_engine(environment["HEADSHOTS_DATABASE_URL"])
    for attempt in ("DELETE FROM consents", "DELETE FROM notices", "UPDATE notices SET content = ''"):
        with engine.connect() as connection, pytest.raises(DBAPIError, match="permission denied"):
            connection.execute(text(attempt))
    engine.dispose()


def test_a_photo_of_a_person_with_no_release_is_kept_as_before(ada: Any) -> None:
    ada.accept().consent(photo="yes")
    ada.upload()
    with transaction(ada.org_id) as session:
        ends = schedule.photo_ends(organizations.current(session))
        deadline = session.scalars(select(Shoot.deadline)).one()
        assert session.scalars(schedule.photos_held(ends)).one() == deadline + timedelta(days=30)
        assert session.scalars(select(Photo)).one().removed_at is None

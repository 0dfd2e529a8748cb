"""The hourly look for consents that a restore brought back."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from conftest import add_participation

import compliance.consent
from compliance import consent, withdrawals
from core.clock import now
from core.consent import Purpose
from core.db import transaction
from core.models import Member, State
from core.people import consents


def agreed(org: UUID, member: Member) -> frozenset[Purpose]:
    with transaction(org) as session:
        return consents.agreed(session, member.id)


def stand_as(environment: dict[str, str], member: Member, withdrawn_at: datetime | None) -> None:
    """As a restored backup has it, past the trigger that lets nobody take such a time away."""
    url = environment["HEADSHOTS_DATABASE_OWNER_URL"].replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(url) as connection:
        connection.execute("ALTER TABLE consents DISABLE TRIGGER stays")
        connection.execute("ALTER TABLE consents NO FORCE ROW LEVEL SECURITY")
        connection.execute(
            "UPDATE consents SET withdrawn_at = %s WHERE member_id = %s AND purpose = %s",
            (withdrawn_at, member.id, Purpose.LIKENESS),
        )
        connection.execute("ALTER TABLE consents FORCE ROW LEVEL SECURITY")
        connection.execute("ALTER TABLE consents ENABLE TRIGGER stays")


@pytest.mark.parametrize("ahead", [timedelta(minutes=3), timedelta(days=400)])
def test_a_consent_that_is_given_anew_stands_whatever_the_clock_of_the_host_that_took_one_back_says(
    org: UUID, member: Member, monkeypatch: pytest.MonkeyPatch, ahead: timedelta
) -> None:
    add_participation(org, member, State.CONSENTED)
    with monkeypatch.context() as patch:
        patch.setattr(compliance.consent, "now", lambda: now() + ahead)
        with transaction(org) as session:
            consent.withdraw(session, session.get_one(Member, member.id), Purpose.PHOTO)
    add_participation(org, member, State.CONSENTED)

    assert withdrawals.replay() == 0
    assert Purpose.PHOTO in agreed(org, member)


def test_a_consent_that_was_taken_back_is_taken_back_again_though_the_clock_went_back(
    environment: dict[str, str], org: UUID, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_participation(org, member, State.CONSENTED)
    with monkeypatch.context() as patch:
        patch.setattr(compliance.consent, "now", lambda: now() - timedelta(days=400))
        with transaction(org) as session:
            consent.withdraw(session, session.get_one(Member, member.id), Purpose.LIKENESS)
    stand_as(environment, member, None)
    assert Purpose.LIKENESS in agreed(org, member)

    assert withdrawals.replay() == 1
    assert agreed(org, member) == {Purpose.PHOTO}
    assert withdrawals.replay() == 0


def test_what_could_not_be_noted_at_once_is_noted_by_the_hourly_look(
    environment: dict[str, str], org: UUID, member: Member
) -> None:
    add_participation(org, member, State.CONSENTED)
    stand_as(environment, member, now())  # taken back where the key store was away
    assert withdrawals.replay() == 0
    stand_as(environment, member, None)
    assert withdrawals.replay() == 1

"""The hourly look for consents that a restore brought back."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from conftest import add_participation
from sqlalchemy import update
from sqlalchemy.orm import Session

import compliance.consent
from compliance import consent, withdrawals
from core.clock import now
from core.consent import Purpose
from core.db import transaction
from core.models import Consent, Member, State
from core.people import consents


def agreed(org: UUID, member: Member) -> frozenset[Purpose]:
    with transaction(org) as session:
        return consents.agreed(session, member.id)


def stand_as(session: Session, member: Member, withdrawn_at: datetime | None) -> None:
    whose = (Consent.member_id == member.id, Consent.purpose == Purpose.LIKENESS)
    session.execute(update(Consent).where(*whose).values(withdrawn_at=withdrawn_at))


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
    org: UUID, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_participation(org, member, State.CONSENTED)
    with monkeypatch.context() as patch:
        patch.setattr(compliance.consent, "now", lambda: now() - timedelta(days=400))
        with transaction(org) as session:
            consent.withdraw(session, session.get_one(Member, member.id), Purpose.LIKENESS)
    with transaction(org) as session:  # as a restore would have it
        stand_as(session, member, None)
    assert Purpose.LIKENESS in agreed(org, member)

    assert withdrawals.replay() == 1
    assert agreed(org, member) == {Purpose.PHOTO}
    assert withdrawals.replay() == 0


def test_what_could_not_be_noted_at_once_is_noted_by_the_hourly_look(org: UUID, member: Member) -> None:
    add_participation(org, member, State.CONSENTED)
    with transaction(org) as session:  # taken back where the key store was away
        stand_as(session, member, now())
    assert withdrawals.replay() == 0
    with transaction(org) as session:
        stand_as(session, member, None)
    assert withdrawals.replay() == 1

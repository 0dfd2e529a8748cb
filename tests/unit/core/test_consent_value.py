from __future__ import annotations

import dataclasses

import pytest

from core.consent import ConsentRequired, Purpose, ValidConsent


def test_a_purpose_that_was_not_agreed_to_stops_the_work():
    consent = ValidConsent(None, frozenset({Purpose.PHOTO}))
    consent.demand(Purpose.PHOTO)
    with pytest.raises(ConsentRequired) as caught:
        consent.demand(Purpose.LIKENESS)
    assert caught.value.details == {"purpose": "likeness"}


def test_consent_cannot_be_widened_afterwards():
    consent = ValidConsent(None, frozenset({Purpose.PHOTO}))
    with pytest.raises(dataclasses.FrozenInstanceError):
        consent.purposes = frozenset(Purpose)

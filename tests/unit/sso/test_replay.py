from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from core import clock
from core.errors import Unavailable
from sso.replay import PendingRequest, PendingRequests, ReplayCache

PENDING = PendingRequest("_request", "/admin/shoots", "0" * 64)


def test_request_is_answered_once(redis):
    requests = PendingRequests(redis)
    requests.remember("acme", PENDING)
    assert requests.take("acme", "_request") == PENDING
    assert requests.take("acme", "_request") is None


def test_request_of_one_company_answers_no_other(redis):
    requests = PendingRequests(redis)
    requests.remember("acme", PENDING)
    assert requests.take("globex", "_request") is None
    assert requests.take("acme", "_request") == PENDING


def test_unanswered_request_is_forgotten_after_ten_minutes(redis):
    PendingRequests(redis).remember("acme", PENDING)
    (key,) = redis.keys("sso:request:*")
    assert 590 < redis.ttl(key) <= 600


def test_id_of_any_content_makes_a_short_key(redis):
    assert PendingRequests(redis).take("acme", "\r\nFLUSHALL\r\n" * 10_000) is None


def test_message_is_used_once_among_many_at_the_same_time(redis):
    cache, end = ReplayCache(redis), clock.now() + timedelta(minutes=5)
    with ThreadPoolExecutor(8) as pool:
        first = list(pool.map(lambda _: cache.first_use("idp", "_assertion", end), range(40)))
    assert first.count(True) == 1


def test_same_id_of_two_identity_providers_is_not_a_replay(redis):
    cache, end = ReplayCache(redis), clock.now() + timedelta(minutes=5)
    assert cache.first_use("idp-one", "_assertion", end)
    assert cache.first_use("idp-two", "_assertion", end)


def test_use_is_remembered_until_the_clock_skew_after_expiry(redis):
    ReplayCache(redis).first_use("idp", "_assertion", clock.now() + timedelta(minutes=5))
    (key,) = redis.keys("sso:used:*")
    assert 595 < redis.ttl(key) <= 601


def test_use_of_a_message_already_expired_is_remembered_too(redis):
    cache, end = ReplayCache(redis), clock.now() - timedelta(days=1)
    assert cache.first_use("idp", "_assertion", end)
    assert not cache.first_use("idp", "_assertion", end)


def test_redis_away_is_an_error_never_a_yes(no_redis):
    with pytest.raises(Unavailable):
        ReplayCache(no_redis).first_use("idp", "_assertion", clock.now())
    with pytest.raises(Unavailable):
        PendingRequests(no_redis).take("acme", "_request")
    with pytest.raises(Unavailable):
        PendingRequests(no_redis).remember("acme", PENDING)

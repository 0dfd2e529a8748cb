"""Every pair of verbs about one person at once: none waits for the other in a circle, and an erase always erases.

595 pairs take minutes. Each run tries erasing with every verb, and of the others a sample that is another one each
day; the slow test goes through all of them for as long as `--pairs-minutes` says, each day from another place on.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from conftest import add_shoot
from sqlalchemy import update
from stage import build
from verbs import VERBS, Verb, assert_legal, erase, together

from core.db import transaction
from core.models import Shoot

Pair = tuple[Verb, Verb]

PAIRS: list[Pair] = list(itertools.combinations_with_replacement(VERBS, 2))
OTHERS = [pair for pair in PAIRS if erase not in pair]
SAMPLE = 40  # of the others, in each run
SHARES = 4  # tests among which that is divided
TRIES = 50  # of each pair in the slow test, if there is time


@pytest.fixture(scope="module")
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture
def chance(pytestconfig: pytest.Config) -> random.Random:
    """The same all day, or of the number that `--pairs-seed` says, as a failure names it."""
    return random.Random(pytestconfig.getoption("pairs_seed"))


def run_pair(org: UUID, shoot: Shoot, threads: ThreadPoolExecutor, pair: Pair, number: int) -> None:
    at = build(org, shoot, VERBS[pair[number % 2]])
    refused = together(threads, at, *pair)
    if erase in pair:
        assert refused[pair.index(erase)] is None
    assert_legal(at, erase in pair)
    with transaction(org) as session:  # a pair may have closed it
        session.execute(update(Shoot).where(Shoot.id == shoot.id).values(closed_at=None))


@pytest.mark.parametrize("second", VERBS, ids=lambda verb: verb.__name__)
def test_erasing_is_never_given_up(org: UUID, threads: ThreadPoolExecutor, second: Verb) -> None:
    shoot = add_shoot(org)
    for number in range(4):
        run_pair(org, shoot, threads, (erase, second), number)


@pytest.mark.parametrize("share", range(SHARES))
def test_none_of_todays_pairs_is_given_up(
    org: UUID, threads: ThreadPoolExecutor, chance: random.Random, share: int
) -> None:
    shoot = add_shoot(org)
    for number, pair in enumerate(chance.sample(OTHERS, SAMPLE)[share::SHARES], chance.randrange(2)):
        run_pair(org, shoot, threads, pair, number)


@pytest.mark.slow
def test_no_pair_is_given_up_in_fifty_tries(
    org: UUID, threads: ThreadPoolExecutor, chance: random.Random, pytestconfig: pytest.Config
) -> None:
    ends = time.monotonic() + 60 * pytestconfig.getoption("pairs_minutes")
    shoot = add_shoot(org)
    order = chance.sample(PAIRS, len(PAIRS))
    done = 0
    for number, pair in itertools.product(range(TRIES), order):
        if time.monotonic() >= ends:
            break
        run_pair(org, shoot, threads, pair, number)
        done += 1
    print(f"{done} runs of {TRIES * len(PAIRS)}")
    assert done

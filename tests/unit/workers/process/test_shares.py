"""A worker's time is shared between its lanes: a person first, nobody never."""

from __future__ import annotations

from collections import Counter

import pytest

from core.queue import CPU_LANES, Lane
from workers.process.shares import SHARES, Shares

# What one piece of work takes, seconds.
TAKES = {Lane.INTERACTIVE: 1.0, Lane.PROOF: 0.2, Lane.BATCH: 3.0, Lane.MAIL: 0.05}


def worked(shares: Shares, waiting: set[Lane], seconds: float) -> list[Lane]:
    """Work for so long while these lanes always have work; return what was done in order."""
    done: list[Lane] = []
    while sum(TAKES[lane] for lane in done) < seconds:
        looked_into = shares.order()
        lane = next(one for one in looked_into if one in waiting)
        shares.begin(lane, looked_into)
        shares.end(lane, TAKES[lane])
        done.append(lane)
    return done


def test_each_lane_gets_its_share_of_the_time_while_all_have_work() -> None:
    done = worked(Shares(CPU_LANES), set(CPU_LANES), 1000)
    spent = {lane: count * TAKES[lane] for lane, count in Counter(done).items()}
    total = sum(spent.values())
    parts = sum(SHARES[lane] for lane in CPU_LANES)
    for lane in CPU_LANES:
        assert spent[lane] / total == pytest.approx(SHARES[lane] / parts, abs=0.02)


def test_photo_check_is_next_after_any_wave_of_other_work() -> None:
    shares = Shares(CPU_LANES)
    worked(shares, {Lane.MAIL, Lane.BATCH, Lane.PROOF}, 500)
    assert shares.order()[0] is Lane.INTERACTIVE
    assert worked(shares, set(CPU_LANES), 0.1)[0] is Lane.INTERACTIVE


def test_mail_goes_on_while_people_send_photos_without_end() -> None:
    done = worked(Shares(CPU_LANES), {Lane.INTERACTIVE, Lane.MAIL}, 100)
    spent = Counter(done)[Lane.MAIL] * TAKES[Lane.MAIL]
    assert spent == pytest.approx(100 * 2 / 14, abs=1)
    longest = max(
        len(run) for run in "".join("i" if lane is Lane.INTERACTIVE else "m" for lane in done).split("m")
    )
    assert longest <= 2


def test_a_lane_without_work_saves_no_time_up() -> None:
    shares = Shares(CPU_LANES)
    worked(shares, {Lane.MAIL}, 1000)
    done = worked(shares, {Lane.MAIL, Lane.BATCH}, 9)
    assert Counter(done)[Lane.BATCH] == 2  # two thirds of the time, as its share is


def test_one_long_picture_does_not_shut_its_lane_once_all_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = Shares(CPU_LANES)
    looked_into = shares.order()
    shares.begin(Lane.BATCH, looked_into)
    shares.end(Lane.BATCH, 600)
    monkeypatch.setattr("workers.process.shares.IDLE_SECONDS", -1.0)
    shares.begin(Lane.BATCH, shares.order())
    assert shares.order() == list(CPU_LANES)

"""The easiest ways over a picture are those that one pixel at a time finds, and are found much faster."""

from __future__ import annotations

import time

import numpy as np
import pytest
from skimage.graph import MCP_Geometric

from workers.vision.ways import ways


def maze(seed: int, walls: float, rough: float) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    cost = 0.05 + random.random((120, 140)) ** 6 * rough
    cost[random.random(cost.shape) < walls] = -1
    start = np.zeros(cost.shape, bool)
    start[40:50, 20:30] = True
    start[0, :5] = True  # at the frame as well
    return cost, start & (cost >= 0)


def by_pixel(cost: np.ndarray, start: np.ndarray) -> np.ndarray:
    found = np.minimum(MCP_Geometric(cost).find_costs(np.argwhere(start))[0], 1e6)
    found[start] = 0
    return found


@pytest.mark.parametrize("walls", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("rough", [0.2, 30.0, 2000.0])
def test_ways_are_as_easy_as_those_found_one_pixel_at_a_time(walls, rough):
    for seed in range(4):
        cost, start = maze(seed, walls, rough)
        there = cost >= 0
        assert np.allclose(ways(cost, start)[there], by_pixel(cost, start)[there], rtol=1e-9, atol=1e-4)


def test_from_nowhere_no_way_leads_anywhere():
    cost, start = maze(0, 0.3, 30.0)
    assert (ways(cost, np.zeros_like(start)) == 1e6).all()


def test_ways_take_a_fraction_of_the_time():
    cost, start = maze(1, 0.3, 30.0)
    cost, start = np.tile(cost, (3, 3)), np.tile(start, (3, 3))
    ways(cost, start)

    def least(work) -> float:
        taken = []
        for _ in range(5):
            begun = time.process_time()
            work(cost, start)
            taken.append(time.process_time() - begun)
        return min(taken)

    assert least(ways) < 0.6 * least(by_pixel)

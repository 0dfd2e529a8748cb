"""Tests of one group run one after another on one worker, since they share what takes minutes to make."""

from __future__ import annotations

import pytest


@pytest.mark.xdist_group("alone")
def test_groups_are_told_apart(request: pytest.FixtureRequest) -> None:
    """The plugin tells them by a name that it adds to the test's, which the runner has to let it."""
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("tests run one after another anyway")
    assert request.node.nodeid.endswith("@alone")

"""The list of promises that `tests/mutations` breaks: none of its lines may have become idle."""

from __future__ import annotations

import ast
from collections import Counter

import pytest
from mutations.breaking import ROOT, Mutation
from mutations.table import MUTATIONS

LEAST = 20


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.promise)
def test_a_broken_line_is_there_once_and_its_tests_exist(mutation: Mutation) -> None:
    whole = (ROOT / mutation.file).read_text()
    broken = mutation.broken(whole)
    assert ast.dump(ast.parse(broken)) != ast.dump(ast.parse(whole)), "nothing is broken"
    for test in mutation.tests:
        file, _, name = test.partition("::")
        functions = {
            one.name for one in ast.parse((ROOT / file).read_text()).body if isinstance(one, ast.FunctionDef)
        }
        assert name in functions, f"name the test itself: {test}"


def test_no_promise_is_broken_twice_and_many_are() -> None:
    assert len(MUTATIONS) >= LEAST
    assert [one for one, count in Counter(one.promise for one in MUTATIONS).items() if count > 1] == []

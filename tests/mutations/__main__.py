"""Break each promise alone, in a copy of the repository, and see whether a test notices.

Prints a table; exits 1 if anything survived, or if a test fails although nothing is broken.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from xml.etree import ElementTree as ET

from mutations.breaking import ROOT, Mutation
from mutations.table import MUTATIONS

PATIENCE_SECONDS = 600.0  # for the tests of one mutation; a broken lock may wait for ever


def main() -> int:
    """Run; return the exit status."""
    parser = argparse.ArgumentParser(prog="mutations", description=__doc__)
    parser.add_argument("words", nargs="*", help="only those whose promise or file holds one of these")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    asked = parser.parse_args()
    wanted = [
        one
        for one in MUTATIONS
        if not asked.words or any(word in f"{one.promise} {one.file}" for word in asked.words)
    ]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the copies go
    with tempfile.TemporaryDirectory(prefix="headshots-mutations-") as home:
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(asked.jobs):
            trees.put(_copy(Path(home) / str(number)))
        if not _all_is_well(trees, wanted):
            return 1
        with ThreadPoolExecutor(asked.jobs) as pool:
            survived = sum(not caught for caught in pool.map(lambda one: _is_caught(trees, one), wanted))
    print(f"\n{len(wanted) - survived} of {len(wanted)} caught")
    return 1 if survived or not wanted else 0


def _copy(home: Path) -> Path:
    """Copy what git knows or would add; photos beside the repository stay beside the copy."""
    tree = home / "tree"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, tree / name)
    if (ROOT.parent / "shared").is_dir():
        (home / "shared").symlink_to(ROOT.parent / "shared")
    return tree


def _all_is_well(trees: SimpleQueue[Path], mutations: Sequence[Mutation]) -> bool:
    """Run all the tests with nothing broken: one that fails or is not there could prove nothing."""
    tests = list(dict.fromkeys(test for one in mutations for test in one.tests))
    failed, said = _run(trees, tests)
    if failed is None or failed:
        print(f"A test fails although nothing is broken.\n{said}")
        return False
    return True


def _is_caught(trees: SimpleQueue[Path], mutation: Mutation) -> bool:
    started = time.monotonic()
    failed, said = _run(trees, mutation.tests, mutation)
    seconds = round(time.monotonic() - started)
    verdict = "caught" if failed else "NOT CAUGHT"
    print(f"{verdict:10}  {seconds:3} s  {mutation.promise}  ({mutation.file})", flush=True)
    if failed is None:
        print(f"            the tests did not run: {said[-1000:]}", flush=True)
    return bool(failed)


def _run(
    trees: SimpleQueue[Path], tests: Sequence[str], mutation: Mutation | None = None
) -> tuple[int | None, str]:
    """Run tests in a free copy; return how many failed and what was printed.

    A run that ends before its tests, or does not end in time, is no failure of a test: then `None`.
    """
    tree = trees.get()
    try:
        if mutation is None:
            return _pytest(tree, tests)
        place = tree / mutation.file
        whole = place.read_text()
        try:
            place.write_text(mutation.broken(whole))
            return _pytest(tree, tests)
        finally:
            place.write_text(whole)
    finally:
        trees.put(tree)


def _pytest(tree: Path, tests: Sequence[str]) -> tuple[int | None, str]:
    report = tree.parent / "report.xml"
    report.unlink(missing_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *tests],
        cwd=tree,
        # No compiled file is written: one of a line that was broken a moment ago would be taken for the next.
        env={**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},  # noqa: TID251 - passed on, not read
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        return None, f"not over after {PATIENCE_SECONDS} s"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
    if process.returncode not in (0, 1) or not report.is_file():
        return None, said
    suite = ET.parse(report).find("testsuite")
    assert suite is not None
    failed, errors, skipped = (int(suite.get(name, "0")) for name in ("failures", "errors", "skipped"))
    if not failed and (errors or skipped):
        return None, said
    return failed, said


if __name__ == "__main__":
    sys.exit(main())

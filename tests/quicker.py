"""What makes thousands of tests quick and changes nothing that they see."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flask
import flask.templating
import psutil
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import Engine
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

MEMORY = Path("/dev/shm")
THREADS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
ROOM = 8 << 30  # bytes; a whole run on two cores holds about two at its fullest


def share_cores() -> None:
    """Let libraries use as many threads as a test process has cores for itself, unless somebody has said how many.

    Each would start one for every core: two processes on two cores then waited for each other for a fifth of
    their time. To be called before any of the libraries is loaded.
    """
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))  # noqa: TID251 - as pytest-xdist says it
    threads = max(1, (os.cpu_count() or 1) // processes)
    for name in THREADS:
        os.environ.setdefault(name, str(threads))  # noqa: TID251


def work_in_memory() -> None:
    """Put temporary files into memory where there is room for them.

    Each test gets databases and folders of its own, hundreds of files each: making and removing them on a
    disk cost more than the tests themselves.
    """
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):  # noqa: TID251 - says where tests write
        return
    place = os.statvfs(MEMORY)
    if min(place.f_bavail * place.f_frsize, psutil.virtual_memory().available) < ROOM:
        return
    if place.f_flag & os.ST_NOEXEC:  # some tests run what they write
        return
    os.environ["TMPDIR"] = str(MEMORY)  # noqa: TID251
    tempfile.tempdir = None


class _Compiled(BytecodeCache):
    """The templates that this process has compiled, for the apps that come after."""

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key, bucket.checksum] = bucket.code


def compile_templates_once() -> None:
    """Let each app of this process find what the ones before it have compiled."""
    compiled = _Compiled()

    class Environment(flask.templating.Environment):
        def __init__(self, app: Any, **options: Any) -> None:
            super().__init__(app, bytecode_cache=compiled, **options)

    flask.Flask.jinja_environment = Environment


def compile_addresses_on_demand() -> None:
    """Compile what builds the address of a page when one is built: an app has hundreds, and a test asks for few."""
    compile_builder = Rule._compile_builder

    def on_demand(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        made: list[Callable[..., tuple[str, str]]] = []

        def build(self: Rule, **values: Any) -> tuple[str, str]:
            if not made:
                made.append(compile_builder(rule, append_unknown))
            return made[0](self, **values)

        return build

    Rule._compile_builder = on_demand  # type: ignore[method-assign]


def compile_statements_once() -> None:
    """Let each engine of this process find the SQL that the ones before it have compiled, for the same dialect."""
    compiled = LRUCache(5000)
    # As a property, since what an engine can be made with is read off its `__init__`.
    Engine._compiled_cache = property(lambda _: compiled, lambda _, value: None)  # type: ignore[assignment]
    # They are the key's first part; two that talk to the same server in the same way are one.
    PGDialect_psycopg.__hash__ = lambda dialect: hash(type(dialect))  # type: ignore[method-assign]
    PGDialect_psycopg.__eq__ = lambda dialect, other: type(dialect) is type(other)  # type: ignore[method-assign]

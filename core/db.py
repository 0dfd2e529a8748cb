"""Sessions on the main database, each bound to one organization.

Row-level security reads the transaction-local setting `app.org_id`; a session without an organization
sees no tenant row at all. What must be found before an organization is known goes through the narrow
`SECURITY DEFINER` functions in `Lookup`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, Row, event, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from core.connections import postgres_engine
from core.errors import ConfigurationError, Misfit, Unavailable
from core.logs import logger
from core.observe import metrics
from core.settings import settings
from core.words import N_
from migrations import HEAD


@cache
def engine() -> Engine:
    """Return the process's engine on the main database, as the role that row-level security binds.

    Ten connections serve sixteen web threads, since a request holds one only while it queries.
    """
    return postgres_engine(
        settings().database_url.get_secret_value(),
        poolclass=pool_that_tells("main"),
        pool_size=10,
        max_overflow=10,
        pool_pre_ping=True,
        connect_args=connect_args(),
    )


def pool_that_tells(database: str) -> type[QueuePool]:
    """Return a pool that tells how long a connection was waited for, under the name `database`."""

    class TellingPool(QueuePool):
        def connect(self) -> PoolProxiedConnection:
            begun = time.perf_counter()
            try:
                return super().connect()
            finally:
                metrics.POOL_WAIT.labels(database).observe(time.perf_counter() - begun)

    return TellingPool


def connect_args() -> dict[str, Any]:
    """Return how psycopg connects where a pooler may be in between.

    In transaction mode a statement that one transaction prepared is not there for the next, which another of the
    server's connections may serve (PgBouncer documentation, features).
    """
    return {} if settings().database_direct_url is None else {"prepare_threshold": None}


def direct_url() -> str:
    """Return the main database's address past any pooler, for what lives longer than a transaction."""
    config = settings()
    return (config.database_direct_url or config.database_url).get_secret_value()


@cache
def direct_engine() -> Engine:
    """Return an engine whose connections keep their session, for locks that outlast a transaction.

    One that gave its locks back is kept for the next piece of work: to open one costs as much as sending a mail.
    """
    return postgres_engine(
        direct_url(), poolclass=QueuePool, pool_size=1, max_overflow=-1, pool_pre_ping=True
    )


def demand_sessions() -> None:
    """See that the direct address is one: where a pooler hands out sessions by the transaction, two get mixed up.

    A database that does not answer yet is not judged.

    Raises:
        ConfigurationError: transactions of one connection end up in several sessions of the server.
    """
    probe = text("SELECT pg_backend_pid()")
    try:
        with direct_engine().connect() as first, direct_engine().connect() as second:
            before = first.scalar(probe)
            first.commit()
            # In transaction mode the second is given what the first has just put back, and keeps it until it commits.
            second.execute(probe)
            kept = first.scalar(probe) == before
    except OperationalError:
        return
    if not kept:
        raise ConfigurationError(
            "The database is reached through a pooler in transaction mode. Set HEADSHOTS_DATABASE_DIRECT_URL to the"
            " same database and role without it: notifications and long locks need a session of their own."
        )


class SchemaTooOld(Misfit):
    """The main database lacks what this release needs."""

    code = "schema_too_old"


def demand_schema(connection: Connection) -> None:
    """See that the main database is at this release's schema; a newer release's keeps all that this one needs.

    Raises:
        SchemaTooOld: it is at an earlier one.
    """
    try:
        at = connection.scalar(text("SELECT version_num FROM alembic_version"))
    except ProgrammingError as error:
        if (
            getattr(error.orig, "sqlstate", None) != "42P01"
        ):  # undefined_table (PostgreSQL manual, appendix A)
            raise
        at = None
    if at is None or at < HEAD:
        raise SchemaTooOld(
            operator=f"The main database is at schema {at or '0000'} and this release needs {HEAD}. Run `headshots migrate` of this "
            "release, once, before its processes start."
        )


_limits: dict[str, str] = {}


def limit_transactions(*, statement_seconds: int, idle_seconds: int) -> None:
    """Have the server end what this process's transactions do for too long; for one that people wait for.

    Said in each transaction, since a pooler may give the server's session to another process after it.

    Args:
        statement_seconds: how long one statement may take, waiting for locks included.
        idle_seconds: how long a transaction may lie open between two statements, with its locks.
    """
    _limits.update(
        statement_timeout=f"{statement_seconds}s", idle_in_transaction_session_timeout=f"{idle_seconds}s"
    )


@event.listens_for(Session, "after_begin")
def _bind_organization(session: Session, _: SessionTransaction, connection: Connection) -> None:
    org_id = session.info.get("org_id")
    if org_id is not None:
        values = {"app.org_id": str(org_id), **_limits, **session.info["values"]}
        row = _begin(connection, values, _SEALING, _WHOLE)
        session.info["sealing"] = row[-2]
        if not row[-1] and not session.info.get("nameless"):
            raise DirectoryEmpty


class DirectoryEmpty(Unavailable):
    """The directory of people is being filled again after a crash, a failover or a restore; until then nobody is known."""

    code = "directory_empty"

    def __init__(self) -> None:
        super().__init__(
            N_(
                "The database was restarted, and the directory of people is being made ready again. Nothing is lost: please try again "
                "in a minute."
            )
        )


_SEALING = "(SELECT sealed_at IS NOT NULL FROM installation)"
_WHOLE = "EXISTS (SELECT FROM directory_state)"


def _begin(connection: Connection, values: dict[str, str], *asked: str) -> Row[*tuple[Any, ...]]:
    """Set what holds until the transaction ends, and ask something, in one statement."""
    calls = (f"set_config('{name}', :v{number}, true)" for number, name in enumerate(values))
    return connection.execute(
        text(f"SELECT {', '.join((*calls, *asked))}"),
        {f"v{number}": value for number, value in enumerate(values.values())},
    ).one()


def organization_of(session: Session) -> UUID:
    """Return the organization that `session` is bound to."""
    org_id = session.info["org_id"]
    assert isinstance(org_id, UUID)
    return org_id


def is_sealing(session: Session) -> bool:
    """Whether names and measures lie sealed only, or also as the release before knows them: `Installation.sealed_at`."""
    session.connection()  # in whose first statement it is asked
    return bool(session.info.get("sealing", True))


@contextmanager
def transaction(org_id: UUID, *, durable: bool = True, nameless: bool = False) -> Iterator[Session]:
    """Open a session bound to `org_id`; commit when the block ends, roll back when it raises.

    What was loaded can be read afterwards either way: a page that says what was wrong with a form still
    shows the choices it offered.

    Args:
        org_id: whose rows it sees.
        durable: whether the commit waits for the disk; without it, a crash of the server may forget it.
        nameless: it asks for nobody's name, so it needs no directory.

    Raises:
        DirectoryEmpty: at its first statement, while the directory of people is not whole.
    """
    values = {"app.names": "written"} | ({} if durable else {"synchronous_commit": "off"})
    with (
        _counted(),
        Session(
            engine(), expire_on_commit=False, info={"org_id": org_id, "values": values, "nameless": nameless}
        ) as session,
        session.begin(),
    ):
        try:
            yield session
        except BaseException:
            session.expunge_all()  # before the rollback, which would empty every object in the session
            raise


class _Open(threading.local):
    """How many transactions the thread has open."""

    count = 0


_open = _Open()


@contextmanager
def _counted() -> Iterator[None]:
    _open.count += 1
    try:
        yield
    finally:
        _open.count -= 1


class InsideTransaction(RuntimeError):
    """Something slow was asked for while a transaction was open: its connection and locks would wait with it."""


def demand_no_transaction(what: str) -> None:
    """See that this thread has no transaction open before it asks something that can take seconds.

    Raises:
        InsideTransaction: it has one; in production it is said, and the answer comes all the same.
    """
    if _open.count == 0:
        return
    if not settings().is_production:
        raise InsideTransaction(f"{what} was asked while a transaction was open")
    logger().error("asked_inside_transaction", code=what)


@dataclass(frozen=True)
class QueueFigure:
    """Open work of one kind in one company, without saying in which.

    Attributes:
        people: Of the company; 1000 stands for that and more.
        waiting: Pieces of work that are due.
        since: When the oldest was due.
        failing: How many of them have failed before.
        held: How many of those found something outside away.
    """

    job: str
    people: int
    waiting: int
    since: datetime | None
    failing: int
    held: int


class Lookup:
    """The questions that may be asked without an organization; each is one database function."""

    @staticmethod
    def _rows(statement: str, **values: Any) -> list[Row[*tuple[Any, ...]]]:
        with engine().begin() as connection:
            if _limits:
                _begin(connection, _limits)
            return list(connection.execute(text(statement), values))

    @classmethod
    def _uuid(cls, statement: str, **values: Any) -> UUID | None:
        rows = cls._rows(statement, **values)
        value = rows[0][0] if rows else None
        return value if isinstance(value, UUID) else None

    @classmethod
    def organization(cls, slug: str) -> UUID | None:
        """Return the id of the organization called `slug`."""
        return cls._uuid("SELECT find_organization(:slug)", slug=slug)

    @classmethod
    def organizations(cls) -> list[UUID]:
        """Return every organization's id."""
        return [row[0] for row in cls._rows("SELECT organization_ids()")]

    @classmethod
    def invite(cls, token_sha256: bytes) -> tuple[UUID, UUID] | None:
        """Return (organization, invite) of a hashed token."""
        rows = cls._rows("SELECT org_id, id FROM find_invite(:hash)", hash=token_sha256)
        return (rows[0][0], rows[0][1]) if rows else None

    @classmethod
    def open_link(cls, token_sha256: bytes) -> tuple[UUID, UUID] | None:
        """Return (organization, open link) of a hashed token."""
        rows = cls._rows("SELECT org_id, id FROM find_open_link(:hash)", hash=token_sha256)
        return (rows[0][0], rows[0][1]) if rows else None

    @classmethod
    def session(cls, token_sha256: bytes, app: str) -> tuple[UUID, UUID] | None:
        """Return (organization, session) of a hashed session token, if it opens `app`."""
        rows = cls._rows("SELECT org_id, id FROM find_web_session(:hash, :app)", hash=token_sha256, app=app)
        return (rows[0][0], rows[0][1]) if rows else None

    @classmethod
    def erasure(cls, receipt_sha256: bytes) -> tuple[UUID, UUID] | None:
        """Return (organization, erasure) of a hashed receipt."""
        rows = cls._rows("SELECT org_id, id FROM find_erasure(:hash)", hash=receipt_sha256)
        return (rows[0][0], rows[0][1]) if rows else None

    @classmethod
    def delivery(cls, delivery_id: UUID) -> UUID | None:
        """Return the organization of a mail that was handed over."""
        return cls._uuid("SELECT find_delivery(:id)", id=delivery_id)

    @classmethod
    def marked(cls, mark: int) -> tuple[UUID, UUID] | None:
        """Return (organization, headshot) of a watermark."""
        rows = cls._rows("SELECT org_id, id FROM find_marked(:mark)", mark=mark)
        return (rows[0][0], rows[0][1]) if rows else None

    @classmethod
    def unsequenced(cls) -> list[UUID]:
        """Return organizations with audit events that are not in their log yet."""
        return [row[0] for row in cls._rows("SELECT organizations_with_unsequenced_events()")]

    @classmethod
    def signed_once(cls, org_ids: Iterable[UUID]) -> dict[UUID, int]:
        """Return for each of these organizations the size of its newest checkpoint with one signature; 0 if each has two."""
        wanted = list(org_ids)
        found = cls._rows("SELECT org_id, size FROM newest_signed_once(:wanted)", wanted=wanted)
        sizes = {row[0]: row[1] for row in found}
        return {org_id: sizes.get(org_id) or 0 for org_id in wanted}

    @classmethod
    def unsettled(cls) -> list[tuple[UUID, int]]:
        """Return (organization, epoch) of erasures that wait for the end of the epoch that they began in."""
        return [(row[0], row[1]) for row in cls._rows("SELECT org_id, epoch FROM unsettled_erasures()")]

    @classmethod
    def waiting_since(
        cls, before: datetime, *, engines: Collection[str], states: Collection[str]
    ) -> list[UUID]:
        """Return organizations where somebody in one of `states`, in a shoot of one of `engines`, waits since `before`."""
        rows = cls._rows(
            "SELECT organizations_waiting_since(:before, :engines, :states)",
            before=before,
            engines=list(engines),
            states=list(states),
        )
        return [row[0] for row in rows]

    @classmethod
    def clock(cls) -> datetime:
        """Return what time it is for the database."""
        moment = cls._rows("SELECT clock_timestamp()")[0][0]
        assert isinstance(moment, datetime)
        return moment

    @classmethod
    def queue_figures(cls) -> list[QueueFigure]:
        """Return what is due, by kind of work and company."""
        return [
            QueueFigure(*row)
            for row in cls._rows("SELECT job, people, waiting, since, failing, held FROM queue_figures()")
        ]

    @classmethod
    def oldest_owed(cls) -> tuple[datetime | None, datetime | None, datetime | None]:
        """Return since when the oldest deletion, the oldest certificate and the oldest log entry are owed."""
        (row,) = cls._rows(
            "SELECT oldest_overdue_deletion(), oldest_uncertified_erasure(), oldest_unsequenced_event()"
        )
        return row[0], row[1], row[2]

    @classmethod
    def idp_certificates(cls) -> list[str]:
        """Return the certificates of every company's identity provider, PEM."""
        return [row[0] for row in cls._rows("SELECT idp_certificates()")]

    @classmethod
    def outbox(cls, outbox_id: UUID) -> tuple[UUID, str] | None:
        """Return (organization, job name) of open work."""
        rows = cls._rows("SELECT org_id, job FROM find_outbox(:id)", id=outbox_id)
        return (rows[0][0], rows[0][1]) if rows else None

    @classmethod
    def take_outbox(cls, jobs: Sequence[str], after: UUID) -> tuple[UUID, UUID] | None:
        """Mark due work as taken, of the next company after `after` that has any; return (id, organization).

        Args:
            jobs: names; of the company's work, the first of them goes first.
            after: company that was served last.
        """
        # A transaction by itself, without a BEGIN and a COMMIT to wait for, nor for the disk: what a crash of the
        # server forgets is due again, and `done_at` keeps it from being done twice.
        with engine().connect() as pooled:
            rows = list(
                pooled.execution_options(isolation_level="AUTOCOMMIT").execute(
                    text(
                        "SELECT taken.id, taken.org_id FROM set_config('synchronous_commit', 'off', true),"
                        " take_outbox(:jobs, :after) AS taken"
                    ),
                    {"jobs": list(jobs), "after": after},
                )
            )
        return (rows[0][0], rows[0][1]) if rows else None

    @classmethod
    def due_outbox(cls, jobs: Sequence[Sequence[str]], most: int) -> list[int]:
        """Return for each list of jobs how much of them is due, counting to `most` of each job."""
        values = {f"jobs{number}": list(names) for number, names in enumerate(jobs)}
        asked = ", ".join(f"due_outbox(:{name}, :most)" for name in values)
        return list(cls._rows(f"SELECT {asked}", most=most, **values)[0])

    @classmethod
    def give_back_outbox(cls, taken: Sequence[UUID], older_than_seconds: float) -> int:
        """Let others take what was taken that long ago and is still open; return how much that was."""
        rows = cls._rows(
            "SELECT give_back_outbox(:taken, make_interval(secs => :age))",
            taken=list(taken),
            age=older_than_seconds,
        )
        return int(rows[0][0])

    @classmethod
    def published_outbox(cls, older_than_seconds: float) -> list[tuple[UUID, str]]:
        """Return (id, job name) of all work that was taken that long ago and is still open."""
        rows = cls._rows(
            "SELECT * FROM published_outbox(make_interval(secs => :age), NULL)", age=older_than_seconds
        )
        return [(row[0], row[2]) for row in rows]

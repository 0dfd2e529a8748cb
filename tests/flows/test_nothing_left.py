"""The law of erasing: markers in every column and every kind of bytes about somebody, and nothing of them is left anywhere.

What is filled comes from the map of what is personal, so a column or a kind that is added later is looked for as well.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import seen
from conftest import add_member, add_participation, forget_process_state
from sealing import put, sealed
from sqlalchemy import Column, Table, make_url, select, update
from work import do_all_work

from compliance import erasure
from compliance.requests import desk
from compliance.requests.words import Words
from core import audit, logs, personal
from core.clock import now
from core.consent import Purpose
from core.db import transaction
from core.ids import new_id
from core.models import Adapter, Arrival, Consent, Kind, Member, Shoot, SignInMethod
from core.models.artifact import CATEGORIES
from core.models.base import Base
from core.models.member import NAMES
from core.models.sealed import SealedRow
from core.models.subject_request import Channel, Right
from core.people import directory, sessions
from core.personal import SEALED, Personal, declared
from core.queue import redis_client
from core.regimes import Regime
from core.vault import signatures, vault
from core.vault.kms import EpochKeyGone
from deploy.backup import postgres
from deploy.local.postgres import pg_bin
from deploy.local.processes import child_environment
from deploy.local.services import LocalServices

# pyHanko's dependencies use what cryptography deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

WORD = "Zanzibarquux"  # in every text that says who somebody is or what they look like, and in no other text
OPEN = "Quaggaxylem"  # in every other text about them, which a backup may hold of nobody by name
NUMBER = 0.918273645
PLACE = "XQ-ZZQ"  # where they work, which has room for a code only
PLACES = {  # where a session with the values of each table is, by its class
    table.__tablename__: table for table in SealedRow.__subclasses__()
}
MAIN, KEYS = "HEADSHOTS_DATABASE_URL", "HEADSHOTS_KEYS_DATABASE_URL"


def found(content: bytes, *words: str) -> list[bytes]:
    """Return which markers stand somewhere, as text or as the hexadecimal of a dump."""
    texts = [word.encode() for word in (*words, WORD, PLACE, str(NUMBER))]
    return [one for text in texts for one in (text, text.hex().encode()) if one in content]


class Somebody:
    """A person with markers everywhere, and how an operator backs up."""

    def __init__(self, services: LocalServices, environment: dict[str, str], org: UUID, folder: Path) -> None:
        self.services, self.environment, self.org, self.folder = services, environment, org, folder
        self.member = add_member(org, "Zan")
        self.filled: set[str] = set()

    def fill(self) -> None:
        self._rows()
        self._names_and_measures()
        self._columns()
        for kind, category in CATEGORIES.items():
            if category is not None:
                whose = None if kind in (Kind.ROSTER, Kind.SEARCH) else self.member.id
                with transaction(self.org) as session:
                    put(session, WORD.encode(), kind=kind, media_type="image/jpeg", member_id=whose)

    def _rows(self) -> None:
        """A row of each table about people."""
        participation = add_participation(self.org, self.member)
        photo = seen.add_photo(self.org, participation)
        with transaction(self.org) as session:
            style_id = session.get_one(Shoot, participation.shoot_id).style_id
        seen.add_headshot(self.org, participation, style_id, photo)
        whose: dict[str, Any] = {
            "id": new_id(),
            "org_id": self.org,
            "member_id": self.member.id,
            "participation_id": participation.id,
        }
        adapter = sealed(self.org, b"adapter", Kind.ADAPTER, self.member.id)
        with transaction(self.org) as session:
            weights = vault().keep(session, adapter)
            session.add(Arrival(upload_key="one", pieces=[], received=0, **whose))
            session.add(
                Adapter(
                    kind="person", artifact_id=weights.id, base="base", revision="1", rank=1, steps=1, seed=1,
                    photos=[], seconds=1.0, **whose,
                )
            )  # fmt: skip
            person = session.get_one(Member, self.member.id)
            sessions.start(session, person, SignInMethod.INVITE)
            desk.open_for(
                session, Right.ACCESS, Channel.HR, member=person, asked=Words(name=WORD, text=WORD),
                language="en", actor=audit.SYSTEM,
            )  # fmt: skip
            self.filled.add("subject_requests.sealed")
            consent_id = new_id()
            signed = signatures.sealed(person.id, consent_id, WORD.encode())
            session.add(
                Consent(
                    purpose=Purpose.LIKENESS, granted=True, regime=Regime.BIPA, language="en", text_version="1",
                    text_sha256="0" * 64, signed=signed, **(whose | {"id": consent_id}),
                )
            )  # fmt: skip
            self.filled.add("consents.signed")

    def _names_and_measures(self) -> None:
        with transaction(self.org) as session:
            person = session.get_one(Member, self.member.id)
            for name in NAMES:
                setattr(person, name, PLACE if name == "place" else f"{WORD} {name}")
                self.filled |= {f"directory.{name}", f"members.{name}"}
            for name, table in PLACES.items():
                for row in session.scalars(select(table)):
                    self._measure(row)
                    self.filled |= {f"{name}.{one.name}" for one in table.sealed_values()}
                    self.filled.add(f"{name}.sealed")
            self.filled.add("members.sealed")

    @staticmethod
    def _measure(row: SealedRow) -> None:
        for one in row.sealed_values():
            values = {
                dict: {"faces": [{"said": WORD}], "measures": {"eyes": NUMBER}},
                list: [{"said": WORD, "distance": NUMBER}],
                str: WORD,
                float: NUMBER,
            }
            empty = one.nothing()
            kind = getattr(type(row), one.plain).expression.type.python_type if empty is None else type(empty)
            setattr(row, one.name, values.get(kind, values[dict]))

    def _columns(self) -> None:
        """Whatever is left of the map, written past the program."""
        with transaction(self.org) as session:
            for table, person in personal.about_people(Base.metadata):
                left = [one for one in self._said(table) if f"{table.name}.{one.name}" not in self.filled]
                if left:
                    values = {one: self._marker(one) for one in left}
                    changed = session.execute(update(table).where(person == self.member.id).values(values))
                    assert changed.rowcount, f"no row about the person in {table.name}"
                    self.filled |= {f"{table.name}.{one.name}" for one in left}

    @staticmethod
    def _said(table: Table) -> Iterator[Column[Any]]:
        # What the database works out follows from what it is worked out from.
        return (one for one in table.c if isinstance(declared(one), Personal) and one.computed is None)

    @staticmethod
    def _marker(column: Column[Any]) -> Any:
        said = declared(column)
        assert isinstance(said, Personal)
        word = WORD if said.category in SEALED else OPEN
        length = getattr(column.type, "length", None) or len(word)
        values = {str: word[:length], float: NUMBER, int: 918273645, datetime: now(), bytes: word.encode()}
        return values.get(column.type.python_type, {"said": word})

    def open_in_backups(self) -> list[str]:
        """Columns of which a backup may hold more than what is sealed: the map says that they name nobody."""
        return [
            f"{table.name}.{one.name}"
            for table, _ in personal.about_people(Base.metadata)
            for one in self._said(table)
            if isinstance(said := declared(one), Personal) and said.category not in SEALED
        ]

    def erase(self) -> None:
        with transaction(self.org) as session:
            person = session.get_one(Member, self.member.id)
            erasure.request(
                session, person, reason=erasure.ErasureReason.SELF_SERVICE, actor=audit.actor_for(person), language="en"
            )  # fmt: skip
        do_all_work()
        erasure.turn_epoch()
        do_all_work()

    def address(self, setting: str) -> str:
        name = make_url(self.environment[setting]).database
        assert name is not None
        return self.services.superuser_url(name)

    def backup(self, setting: str, name: str) -> Path:
        """Dump as `headshots backup` does."""
        file = self.folder / name
        postgres.dump(self.address(setting), file)
        return file

    @staticmethod
    def read(dump: Path) -> bytes:
        """What stands in a dump, as SQL."""
        return _run("pg_restore", "--file=-", str(dump))

    def whole(self, setting: str) -> bytes:
        """Everything that a database holds now, its unlogged tables and its own statistics included."""
        with closing(postgres.connect(self.address(setting))) as connection:
            connection.execute("VACUUM ANALYZE")
            stats = connection.execute("SELECT s::text FROM pg_stats s").fetchall()
        url = self.address(setting).replace("postgresql+psycopg://", "postgresql://")
        return _run("pg_dump", url) + "\n".join(row[0] for row in stats).encode()


def _run(program: str, *arguments: str) -> bytes:
    done = subprocess.run(
        [str(pg_bin() / program), *arguments], env=child_environment(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.fixture
def somebody(
    services: LocalServices,
    environment: dict[str, str],
    org: UUID,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Somebody:
    monkeypatch.setenv("HEADSHOTS_POSTGRES_BIN", str(pg_bin()))
    forget_process_state()
    folder = tmp_path / "backups"
    folder.mkdir()
    made = Somebody(services, environment, org, folder)
    made.fill()
    return made


def test_nothing_of_an_erased_person_is_left_anywhere(
    somebody: Somebody, environment: dict[str, str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    said = {
        f"{table.name}.{one.name}"
        for table, _ in personal.about_people(Base.metadata)
        for one in Somebody._said(table)
    }
    assert said <= somebody.filled, "every column that says something about somebody has its marker"
    assert found(somebody.whole(MAIN), OPEN), "the markers are really there before"
    somebody.erase()
    places = {setting: somebody.whole(setting) for setting in (MAIN, KEYS)}
    redis = redis_client()
    places["redis"] = b"\n".join(
        bytes(name) + (redis.dump(name) or b"") for name in redis.scan_iter("*")
    )  # what is small lies there as it is
    places |= {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    said_aloud = capfd.readouterr()
    with capfd.disabled():
        logs.configure()  # else the next test's lines would go where this one's were kept
    places["logs"] = (said_aloud.out + said_aloud.err).encode()
    left = {place: found(content, OPEN) for place, content in places.items()}
    assert {place: words for place, words in left.items() if words} == {}


def test_a_backup_from_before_holds_names_and_measures_sealed_only(
    somebody: Somebody, services: LocalServices
) -> None:
    assert set(somebody.open_in_backups()) == {
        "arrivals.upload_key",
        "headshots.mark",
        "headshots.rejected_at",
        "headshots.rejected_code",
        "headshots.returned_code",
        "members.language",
        "participations.alternative",
        "participations.photos_by_company_at",
        "participations.sent_by_company_at",
        "photos.confirmed_at",
        "photos.upload_key",
        "web_sessions.device_sha256",
        "web_sessions.saml_session_index",
        "web_sessions.system",
    }, "docs/deletion.md names what backups hold of nobody by name"
    before, keys_before = somebody.backup(MAIN, "main"), somebody.backup(KEYS, "keys")
    assert found(somebody.read(before)) == []
    assert found(somebody.read(keys_before)) == []
    with closing(services.postgres.connect()) as connection:
        connection.execute("CHECKPOINT")
    log = services.home / "postgres" / "pg_wal"
    assert [path.name for path in log.iterdir() if path.is_file() and found(path.read_bytes())] == []

    somebody.erase()
    keys_after = somebody.backup(KEYS, "keys after")
    restore(somebody, MAIN, before)
    assert directory.rebuild() >= 1
    nobody_can_read(somebody)

    restore(somebody, KEYS, keys_before)  # and the older keys open nothing either: their epoch's key is gone
    with pytest.raises(EpochKeyGone):
        vault().keys.data_key(somebody.member.id)
    restore(somebody, KEYS, keys_after)
    nobody_can_read(somebody)


def nobody_can_read(somebody: Somebody) -> None:
    with transaction(somebody.org) as session:
        person = session.get_one(Member, somebody.member.id)
        assert [getattr(person, name) for name in NAMES] == [None] * len(NAMES)
        for table in PLACES.values():
            for row in session.scalars(select(table)):
                assert [getattr(row, one.name) for one in row.sealed_values()] == [
                    one.nothing() for one in row.sealed_values()
                ]


def restore(somebody: Somebody, setting: str, dump: Path) -> None:
    forget_process_state()  # as a restart of the whole product
    url = somebody.address(setting).replace("postgresql+psycopg://", "postgresql://")
    options = ("--clean", "--if-exists", "--single-transaction", "--exit-on-error")
    _run("pg_restore", *options, f"--dbname={url}", str(dump))

"""Real parts for tests: Postgres, Redis, files. Each test that asks gets databases of its own."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import quicker
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from sqlalchemy import create_engine, make_url

from compliance.origin.signer import Signer
from compliance.origin.signer import make as make_signer
from core import audit, clock, connections, db, queue, schema
from core import settings as settings_module
from core.consent import Purpose
from core.db import transaction
from core.errors import Misfit
from core.ids import new_id
from core.models import Consent, EngineName, Member, Participation, Shoot, State, Style
from core.people import members, organizations
from core.style.spec import StyleSpec
from core.vault import vault
from deploy import installation
from deploy.local.services import Databases, LocalServices

quicker.share_cores()
quicker.work_in_memory()
quicker.compile_templates_once()
quicker.compile_addresses_on_demand()
quicker.compile_statements_once()

# How fast a machine is that does other things as well is no finding.
hypothesis_settings.register_profile("headshots", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("headshots")

SECRET = "a secret of the tests, long enough for the settings to take"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options for `tests/flows/test_at_once.py`."""
    group = parser.getgroup("pairs of verbs at once")
    group.addoption("--pairs-minutes", type=float, default=10.0, help="longest time for the slow test of all")
    group.addoption(
        "--pairs-seed",
        type=int,
        default=clock.now().toordinal(),
        help="which sample of them; today's by default",
    )


LONGEST_NAME = 60  # characters of a value that a test is named after


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name no test after the content of a file: with a time or a random number in it, processes would not agree on the tests."""
    return argname if isinstance(val, str | bytes) and len(val) > LONGEST_NAME else None


@pytest.fixture(scope="session")
def services() -> Iterator[LocalServices]:
    """Postgres and Redis for this test process.

    Not in pytest's own folder: each further pytest closes that to other users, and Postgres is one.
    """
    with (
        tempfile.TemporaryDirectory(prefix="headshots-test-") as home,
        LocalServices(Path(home), durable=False) as started,
    ):
        yield started


def settings_of(home: Path) -> dict[str, str]:
    """The settings of a process of the product with its folders in `home`, but for its services."""
    return {
        "HEADSHOTS_ENVIRONMENT": "test",
        "HEADSHOTS_BASE_URL": "http://localhost",
        "HEADSHOTS_OPERATOR_NAME": "Headshots",
        "HEADSHOTS_STORAGE_REGION": "the test machine",
        "HEADSHOTS_STORAGE_URL": (home / "storage").as_uri(),
        "HEADSHOTS_KEYRING_PATH": str(home / "keyring"),
        "HEADSHOTS_SIGNING_PATH": str(home / "signing"),
        "HEADSHOTS_DEVELOPMENT_IDP_PATH": str(home / "devidp"),
        "HEADSHOTS_SMTP_URL": "smtp://127.0.0.1:9",
        "HEADSHOTS_SECRET_KEY": SECRET,
        "HEADSHOTS_LOG_LEVEL": "WARNING",
    }


@dataclass(frozen=True)
class Template:
    """An installation as `headshots migrate` makes it, to be copied: its databases, and its folders."""

    databases: Databases
    home: Path


@pytest.fixture(scope="session")
def migrated(services: LocalServices, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """An installation at the newest schema, to be copied."""
    databases, home = services.fresh_databases("template"), tmp_path_factory.mktemp("template")
    schema.migrate(databases.owner)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (settings_of(home) | services.environment(databases)).items():
            patch.setenv(name, value)
        forget_process_state()
        installation.initialize()
        forget_process_state()
    return Template(databases, home)


def forget_process_state() -> None:
    """Make this process read its settings and open its connections anew."""
    connections.hurry_redis(connections.REDIS_SECONDS)
    for engine in (db.engine, db.direct_engine):
        if engine.cache_info().currsize:
            engine().dispose()
    if vault.cache_info().currsize:
        vault().keys._engine.dispose()
    if queue.redis_client.cache_info().currsize:
        queue.redis_client().close()
    from compliance import evidence
    from compliance.origin import signer as signers
    from core.observe import health, tracing

    if (web := sys.modules.get("core.web.app")) is not None:
        web.limiter._storage_options.clear()  # it adds to those of the app before, as if they were for one server
    for cached in (
        settings_module.settings,
        settings_module.diffusion_settings,
        settings_module.vision_settings,
        settings_module.signer_settings,
        db.engine,
        db.direct_engine,
        vault,
        queue.redis_client,
        evidence.signing_keys,
        signers.signer,
        health.health,
        tracing._tracer,
    ):
        cached.cache_clear()


@pytest.fixture(scope="session")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    """Who signs where pictures come from, as an installation has one that was given none."""
    return make_signer(tmp_path_factory.mktemp("signer"))


@contextmanager
def installed(
    services: LocalServices, migrated: Template, home: Path, patch: pytest.MonkeyPatch
) -> Iterator[dict[str, str]]:
    """Make this process one of the product's: settings, fresh databases, an empty Redis and storage."""
    databases = services.fresh_databases("test", template=migrated.databases)
    services.flush_redis()
    shutil.copytree(migrated.home, home, dirs_exist_ok=True)
    values = settings_of(home) | services.environment(databases)
    for name, value in values.items():
        patch.setenv(name, value)
    forget_process_state()
    yield values
    forget_process_state()
    services.drop_databases(databases)


@pytest.fixture
def environment(
    services: LocalServices, migrated: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, str]]:
    """This process as one of the product's, for one test."""
    with installed(services, migrated, tmp_path, monkeypatch) as values:
        yield values


@pytest.fixture
def org(environment: dict[str, str]) -> UUID:
    """An organization."""
    return organizations.create("acme", "Acme", contact_email="privacy@acme.example")


def add_member(org_id: UUID, first: str = "Ada", **values: str) -> Member:
    """Add a person to an organization."""
    person = members.NewMember(
        email=values.pop("email", f"{first.lower()}@acme.example"),
        first_name=first,
        last_name="Example",
        **values,
    )
    with transaction(org_id) as session:
        return members.add(session, [person], actor=audit.SYSTEM, tag=audit.Tag.MEMBER_IMPORTED)[0]


@pytest.fixture
def member(org: UUID) -> Member:
    """A person in the organization."""
    return add_member(org)


def add_shoot(
    org_id: UUID, spec: StyleSpec | None = None, *, engine: EngineName = EngineName.STUDIO
) -> Shoot:
    """Add a style and a shoot that ends in two weeks."""
    with transaction(org_id) as session:
        style_id = new_id()
        style = Style(
            id=style_id,
            org_id=org_id,
            name=f"Test {style_id}",  # names are unique in a company, and a test may need several
            spec=(spec or StyleSpec()).model_dump(mode="json"),
        )
        session.add(style)
        session.flush()
        shoot = Shoot(
            id=new_id(),
            org_id=org_id,
            name="Spring",
            style_id=style.id,
            deadline=clock.now() + timedelta(days=14),
            engine=engine,
        )
        session.add(shoot)
        return shoot


def add_participation(
    org_id: UUID,
    member: Member,
    state: State = State.INVITED,
    *,
    engine: EngineName = EngineName.STUDIO,
    purposes: Collection[Purpose] = (Purpose.PHOTO, Purpose.LIKENESS),
) -> Participation:
    """Put a person into a new shoot, in `state`; from `consented` on with consent to `purposes`."""
    shoot = add_shoot(org_id, engine=engine)
    with transaction(org_id) as session:
        row = Participation(
            id=new_id(),
            org_id=org_id,
            shoot_id=shoot.id,
            member_id=member.id,
            state=state,
            changed_at=clock.now(),
        )
        session.add(row)
        session.flush()
        if state not in (State.INVITED, State.OPENED):
            for purpose in purposes:
                session.add(
                    Consent(
                        id=new_id(),
                        org_id=org_id,
                        member_id=member.id,
                        participation_id=row.id,
                        purpose=purpose,
                        granted=True,
                        regime="gdpr",
                        language="en",
                        text_version="2026-11.6",
                        text_sha256="0" * 64,
                    )
                )
        return row


@contextmanager
def misfit(kind: type[Misfit], words: str) -> Iterator[None]:
    """Expect an error that tells the operator `words`."""
    with pytest.raises(kind) as caught:
        yield
    assert words in caught.value.operator


@pytest.fixture
def execute(services: LocalServices, environment: dict[str, str]) -> Callable[[str], None]:
    """Run SQL on the main database with rights that no process of ours has."""
    name = make_url(environment["HEADSHOTS_DATABASE_URL"]).database
    assert name is not None
    engine = create_engine(services.superuser_url(name))

    def run(statement: str) -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()

    return run

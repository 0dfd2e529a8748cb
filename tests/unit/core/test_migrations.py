"""Migrations keep what is there, on the way up and on the way down; since the release they only add."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from conftest import misfit
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DatabaseError

from core.ids import new_id
from core.schema import MIGRATIONS, NoSuchMigration, WouldLose, alembic_config, migrate_to
from deploy.local.services import Databases, LocalServices

ORG, MEMBER, STYLE, SHOOT, PARTICIPATION, ARTIFACT, PHOTO, ADAPTER, LOOK = (str(new_id()) for _ in range(9))

# One row of each table on the way to a photo, as the releases before wrote them.
ROWS = {
    "organizations": {
        "id": ORG,
        "slug": "acme",
        "name": "Acme",
        "accent": "#123456",
        "regime": "gdpr",
        "language": "en",
        "retention_days": 30,
        "contact_email": "privacy@acme.example",
    },
    "members": {"id": MEMBER, "role": "employee", "language": "en", "pseudonym": "p"},
    "styles": {"id": STYLE, "name": "Style", "version": 1, "spec": "{}"},
    "shoots": {"id": SHOOT, "name": "Shoot", "style_id": STYLE, "engine": "studio", "file_name": "{last}"},
    "participations": {
        "id": PARTICIPATION,
        "shoot_id": SHOOT,
        "member_id": MEMBER,
        "state": "uploading",
    },
    "artifacts": {
        "id": ARTIFACT,
        "member_id": MEMBER,
        "kind": "photo",
        "media_type": "image/jpeg",
        "object_name": "o",
        "size": 1,
        "sealed_sha256": "0" * 64,
    },
    "photos": {
        "id": PHOTO,
        "participation_id": PARTICIPATION,
        "member_id": MEMBER,
        "artifact_id": ARTIFACT,
        "upload_key": "key-00000001",
        "verdict": '{"accepted": true}',
    },
}
MOMENTS = {"shoots": ("deadline",), "participations": ("changed_at",)}

RELEASED = "0016"  # the newest migration of release 0.1.0
SCRIPT = ScriptDirectory(str(MIGRATIONS))
SINCE = [one.revision for one in reversed(list(SCRIPT.walk_revisions(RELEASED, "heads")))][1:]


@pytest.fixture
def databases(services: LocalServices) -> Iterator[Databases]:
    """An empty pair of databases."""
    made = services.fresh_databases("migrations")
    yield made
    services.drop_databases(made)


@contextmanager
def company(url: str) -> Iterator[Connection]:
    """The tables as their owner sees them for one company."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("SELECT set_config('app.org_id', :id, true)"), {"id": ORG})
        yield connection
    engine.dispose()


def fill(connection: Connection) -> None:
    for table, values in ROWS.items():
        row = values if table == "organizations" else {"org_id": ORG, **values}
        now = ("created_at", *MOMENTS.get(table, ()))
        connection.execute(
            text(
                f"INSERT INTO {table} ({', '.join((*row, *now))})"
                f" VALUES ({', '.join((*(f':{name}' for name in row), *('now()' for _ in now)))})"
            ),
            row,
        )


def test_photos_survive_the_question_whose_face_it_is(databases: Databases) -> None:
    config = alembic_config(databases.owner)
    command.upgrade(config, "0002")
    with company(databases.owner) as connection:
        fill(connection)
    command.upgrade(config, "0003")
    with company(databases.owner) as connection:
        found = connection.execute(text("SELECT subject_x, subject_y, likeness_id FROM photos")).one()
        assert tuple(found) == (None, None, None)
        connection.execute(
            text("UPDATE photos SET subject_x = 0.25, subject_y = 0.5, likeness_id = artifact_id")
        )
    with company(databases.app) as connection:
        assert connection.execute(text("UPDATE photos SET subject_x = 0.75")).rowcount == 1
    command.downgrade(config, "0002")
    with company(databases.owner) as connection:
        kept = connection.execute(text("SELECT upload_key, verdict FROM photos")).one()
        assert tuple(kept) == ("key-00000001", {"accepted": True})
    command.upgrade(config, "head")


def test_people_survive_the_coming_of_adapters(databases: Databases) -> None:
    config = alembic_config(databases.owner)
    command.upgrade(config, "0003")
    with company(databases.owner) as connection:
        fill(connection)
    command.upgrade(config, "0004")
    adapter = {
        "id": ADAPTER,
        "org_id": ORG,
        "kind": "person",
        "member_id": MEMBER,
        "participation_id": PARTICIPATION,
        "artifact_id": ARTIFACT,
    }
    with company(databases.app) as connection:
        fresh = connection.execute(
            text("SELECT fallback_code, checkpoint_id, gpu_seconds, gpu_watt_hours FROM participations")
        ).one()
        assert tuple(fresh) == (None, None, 0.0, None)
        connection.execute(
            text(
                "INSERT INTO adapters (id, org_id, kind, member_id, participation_id, artifact_id, base, revision,"
                " rank, steps, seed, photos, curve, seconds, created_at) VALUES (:id, :org_id, :kind, :member_id,"
                " :participation_id, :artifact_id, 'klein', '1', 16, 800, 1, '[]', '[]', 90.5, now())"
            ),
            adapter,
        )
        connection.execute(
            text("UPDATE participations SET gpu_seconds = 90.5, checkpoint_id = :artifact_id"), adapter
        )
    with company(databases.app) as connection:
        # The release before, which still runs while this one starts, knows nothing of the new columns.
        connection.execute(
            text("UPDATE participations SET state = 'submitted' WHERE id = :participation_id"), adapter
        )
    command.downgrade(config, "0003")
    with company(databases.owner) as connection:
        assert connection.execute(text("SELECT state FROM participations")).scalar_one() == "submitted"
    command.upgrade(config, "head")


def test_styles_survive_the_coming_of_looks(databases: Databases) -> None:
    config = alembic_config(databases.owner)
    command.upgrade(config, "0005")
    with company(databases.owner) as connection:
        fill(connection)
    command.upgrade(config, "0006")
    look = {"id": LOOK, "org_id": ORG}
    with company(databases.app) as connection:
        assert connection.execute(text("SELECT look_id FROM styles")).scalar_one() is None
        connection.execute(
            text("INSERT INTO looks (id, org_id, pictures, created_at) VALUES (:id, :org_id, '[]', now())"),
            look,
        )
        assert connection.execute(text("UPDATE styles SET look_id = :id"), look).rowcount == 1
    command.downgrade(config, "0005")
    with company(databases.owner) as connection:
        assert connection.execute(text("SELECT name FROM styles")).scalar_one() == "Style"
    command.upgrade(config, "head")


def test_styles_survive_the_right_to_delete_them(databases: Databases) -> None:
    config = alembic_config(databases.owner)
    command.upgrade(config, "0006")
    with company(databases.owner) as connection:
        fill(connection)
    for _ in range(2):
        command.upgrade(config, "head")
        with company(databases.app) as connection, pytest.raises(DatabaseError, match="fk_shoots_style_id"):
            connection.execute(text("DELETE FROM styles"))
        command.downgrade(config, "0006")
        with company(databases.app) as connection, pytest.raises(DatabaseError, match="permission denied"):
            connection.execute(text("DELETE FROM styles"))
    with company(databases.owner) as connection:
        assert connection.execute(text("SELECT name FROM styles")).scalar_one() == "Style"
    command.upgrade(config, "head")


def test_who_is_signed_in_stays_so_in_the_app_of_their_sign_in(databases: Databases) -> None:
    config = alembic_config(databases.owner)
    command.upgrade(config, "0009")
    with company(databases.owner) as connection:
        fill(connection)
        for method in ("saml", "invite"):
            connection.execute(
                text(
                    "INSERT INTO web_sessions (id, org_id, created_at, member_id, token_sha256, method, seen_at,"
                    " expires_at) VALUES (:id, :org, now(), :member, sha256(convert_to(:method, 'UTF8')),"
                    " :method, now(), now() + interval '1 hour')"
                ),
                {"id": str(new_id()), "org": ORG, "member": MEMBER, "method": method},
            )
    find = "SELECT count(*) FROM find_web_session(sha256(convert_to(:method, 'UTF8')), :app)"
    for _ in range(2):
        command.upgrade(config, "head")
        with company(databases.app) as connection:
            found = {
                (method, app): connection.execute(text(find), {"method": method, "app": app}).scalar_one()
                for method in ("saml", "invite")
                for app in ("admin", "portal")
            }
        assert [pair for pair, count in found.items() if count] == [("saml", "admin"), ("invite", "portal")]
        command.downgrade(config, "0009")


def test_deletions_and_mails_that_were_given_up_are_taken_up_again(databases: Databases) -> None:
    config = alembic_config(databases.owner)
    command.upgrade(config, "0016")
    parked = {
        ("erase", "unavailable"): True,
        ("certify", "VerificationFailed"): True,
        ("invite_mail", "mail_failed"): True,
        ("ready_mail", "worker_died"): True,
        ("invite_mail", "mail_refused"): False,
        ("render", "unavailable"): False,
    }
    with company(databases.owner) as connection:
        fill(connection)
        connection.execute(
            text(
                "INSERT INTO erasures (id, org_id, member_id, subject, reason, language, receipt_sha256, locations,"
                " failure, created_at) VALUES (:id, :org, :member, 's', 'self_service', 'en', '\\x00', '[]',"
                " 'unavailable', now())"
            ),
            {"id": PHOTO, "org": ORG, "member": MEMBER},
        )
        for job, code in parked:
            connection.execute(
                text(
                    "INSERT INTO outbox (id, org_id, job, subject_id, not_before, published_at, attempts, failed_at,"
                    " error_code, created_at) VALUES (gen_random_uuid(), :org, :job, :subject, now(), now(), 6, now(),"
                    " :code, now())"
                ),
                {"org": ORG, "job": job, "subject": PHOTO, "code": code},
            )
    command.upgrade(config, "0017")
    with company(databases.owner) as connection:
        rows = connection.execute(text("SELECT job, failed_at, published_at, attempts FROM outbox")).all()
        going = sorted(job for job, failed_at, published_at, attempts in rows if failed_at is None)
        assert going == sorted(job for (job, _), taken_up in parked.items() if taken_up)
        assert {tuple(row[2:]) for row in rows if row[1] is None} == {(None, 0)}
        assert connection.scalar(text("SELECT failure FROM erasures")) is None
    command.downgrade(config, "0016")
    command.upgrade(config, "head")


def shape(connection: Connection) -> dict[str, object]:
    """What a program that runs meanwhile relies on: columns with type, and the functions that it calls."""
    columns = connection.execute(
        text(
            "SELECT table_name || '.' || column_name, udt_name, is_nullable, column_default, character_maximum_length"
            " FROM information_schema.columns WHERE table_schema = 'public'"
        )
    )
    functions = connection.execute(
        text(
            "SELECT p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', pg_get_function_result(p.oid)"
            " FROM pg_proc p WHERE pronamespace = 'public'::regnamespace"
        )
    )
    return {row[0]: tuple(row[1:]) for row in (*columns, *functions)}


def test_every_migration_since_the_release_only_adds(databases: Databases) -> None:
    config = alembic_config(databases.owner)
    command.upgrade(config, RELEASED)
    engine = create_engine(databases.owner)
    with engine.connect() as connection:
        before = shape(connection)
    for revision in SINCE:
        command.upgrade(config, revision)
        with engine.connect() as connection:
            after = shape(connection)
        changed = {name for name, known in before.items() if after.get(name) != known}
        assert not {one for one in changed if not looser(before[one], after.get(one))}, revision
        tables = {name.partition(".")[0] for name in before if "." in name}
        for name in set(after) - set(before):
            if "." in name and name.partition(".")[0] in tables:
                _, nullable, default, _ = after[name]
                assert nullable == "YES" or default is not None, (
                    f"{revision}: who does not know {name} cannot insert"
                )
        before = after
    engine.dispose()


def looser(old: object, new: object) -> bool:
    """Whether a column took a default, became nullable or longer, which harms nobody."""
    if not (isinstance(old, tuple) and isinstance(new, tuple) and len(old) == len(new) == 4):
        return False
    same_type = old[0] == new[0]
    nullable = new[1] == "YES" or new[1] == old[1]
    longer = new[3] is None or (old[3] is not None and new[3] >= old[3])
    return same_type and nullable and longer


def test_the_release_before_writes_into_the_newer_schema(databases: Databases) -> None:
    command.upgrade(alembic_config(databases.owner), "head")
    with company(databases.app) as connection:
        fill(connection)
    with company(databases.app) as connection:
        for table in ROWS:
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 1


def test_back_to_the_release_before_and_forth_keeps_every_row(databases: Databases) -> None:
    command.upgrade(alembic_config(databases.owner), "head")
    with company(databases.app) as connection:
        fill(connection)
    gone = migrate_to(databases.owner, RELEASED)
    assert "installation" in gone
    with company(databases.app) as connection:
        for table in ROWS:
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 1
    assert migrate_to(databases.owner, SINCE[-1]) == []
    with company(databases.app) as connection:
        for table in ROWS:
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 1
        connection.execute(text("SELECT id FROM installation"))


def test_what_an_earlier_schema_has_no_place_for_stays(databases: Databases) -> None:
    command.upgrade(alembic_config(databases.owner), "head")
    with company(databases.app) as connection:
        fill(connection)
        connection.execute(
            text(
                "INSERT INTO installation (id, single, created_at, fingerprints, generation)"
                " VALUES (:id, true, now(), '{}', :id)"
            ),
            {"id": ORG},
        )
    with misfit(WouldLose, "--lose installation"):
        migrate_to(databases.owner, RELEASED)
    with company(databases.app) as connection:
        assert connection.execute(text("SELECT count(*) FROM installation")).scalar_one() == 1
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == SINCE[-1]
    assert "installation" in migrate_to(databases.owner, RELEASED, lose=["installation"])


def test_a_column_of_a_company_counts_though_its_owner_cannot_see_it(databases: Databases) -> None:
    command.upgrade(alembic_config(databases.owner), "0016")
    with company(databases.app) as connection:
        fill(connection)
        connection.execute(text("UPDATE participations SET reminders_ended_at = now()"))
    with misfit(WouldLose, "participations.reminders_ended_at"):
        migrate_to(databases.owner, "0010")


def test_a_migration_that_does_not_exist_is_named(databases: Databases) -> None:
    with misfit(NoSuchMigration, "There is no migration 9999"):
        migrate_to(databases.owner, "9999")

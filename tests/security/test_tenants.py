"""Tenants are walls: what one organization's session can see and change of another's."""

from __future__ import annotations

from uuid import UUID

import pytest
from conftest import add_member, add_participation
from sealing import put
from sqlalchemy import Uuid, select, text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.orm import Session

from compliance.log import sequencer
from compliance.requests import desk
from compliance.requests.words import Words
from core import audit
from core.clock import now
from core.db import Lookup, engine, transaction
from core.ids import new_id
from core.models import (
    Act,
    Adapter,
    Arrival,
    Attestation,
    Base,
    Breach,
    BulkAction,
    BulkItem,
    Certificate,
    Channel,
    CompanyReport,
    ConsentReceipt,
    CosignatureRow,
    Delivery,
    DirectoryState,
    Erasure,
    Farewell,
    Headshot,
    Installation,
    Look,
    MailText,
    Member,
    OpendsrController,
    OpendsrRequest,
    OpenLink,
    Organization,
    Photo,
    PrivacyVersion,
    Recall,
    Right,
    RosterImport,
    SamlConnectionRow,
    Shoot,
    ShownNotice,
    SignInMethod,
    State,
    Statement,
    Upload,
    Use,
)
from core.people import organizations, sessions
from core.queue import JobName, enqueue
from core.shoots import invites

# All but those that say nothing of any company.
TABLES = sorted(
    set(Base.metadata.tables)
    - {Installation.__tablename__, DirectoryState.__tablename__, Attestation.__tablename__}
)


def fill(org_id: UUID) -> None:
    """Put at least one row of the organization into every table."""
    member = add_member(org_id, email=f"ada@{org_id}.example")
    participation = add_participation(org_id, member, State.UPLOADING)
    with transaction(org_id) as session:
        common = {"org_id": org_id, "member_id": member.id}
        person = session.get_one(Member, member.id)
        session.add(CosignatureRow(org_id=org_id, size=1, witness="witness", line="line"))
        invites.create(session, participation, actor=audit.SYSTEM)
        sessions.start(session, person, SignInMethod.INVITE)
        photo_file = put(session, b"x", kind="photo", media_type="image/jpeg", member_id=member.id)
        photo = Photo(
            id=new_id(),
            participation_id=participation.id,
            artifact_id=photo_file.id,
            upload_key="k",
            **common,
        )
        session.add(photo)
        session.flush()
        session.add(
            Arrival(
                id=new_id(),
                participation_id=participation.id,
                upload_key="k",
                pieces=[],
                received=0,
                **common,
            )
        )
        action = BulkAction(id=new_id(), org_id=org_id, kind="remind", choice={}, total=1)
        session.add(action)
        session.flush()
        session.add(BulkItem(id=new_id(), action_id=action.id, **common))
        shoot = session.get_one(Shoot, participation.shoot_id)
        session.add(
            RosterImport(
                id=new_id(),
                org_id=org_id,
                shoot_id=shoot.id,
                choice={},
                rows=1,
                outcomes=[],
                invited=0,
                skipped=0,
                rejected=0,
            )
        )
        session.add(
            Headshot(
                id=new_id(),
                participation_id=participation.id,
                photo_id=photo.id,
                style_id=shoot.style_id,
                engine="studio",
                rank=0,
                gates={},
                seconds=1.0,
                **common,
            )
        )
        session.add(
            Adapter(
                id=new_id(),
                kind="person",
                participation_id=participation.id,
                artifact_id=photo_file.id,
                base="klein",
                revision="1",
                rank=4,
                steps=1,
                seed=1,
                photos=[],
                curve=[],
                seconds=1.0,
                **common,
            )
        )
        session.add(Look(id=new_id(), org_id=org_id, pictures=[]))
        session.add(Upload(id=new_id(), use=Use.LOGO, originals=[str(photo_file.id)], left_out=[], **common))
        erasure = Erasure(
            id=new_id(),
            subject="0" * 64,
            reason="test",
            receipt_sha256=org_id.bytes * 2,
            locations=[],
            **common,
        )
        session.add(erasure)
        session.flush()
        session.add(
            Certificate(
                id=new_id(),
                org_id=org_id,
                erasure_id=erasure.id,
                status="PENDING",
                pdf=b"%PDF",
                sha256="0" * 64,
            )
        )
        session.add(MailText(id=new_id(), org_id=org_id, kind="invite", language="en", content={}))
        session.add(
            OpenLink(
                org_id=org_id,
                shoot_id=shoot.id,
                nonce=org_id.bytes,
                token_sha256=org_id.bytes * 2,
                domains=["acme.example"],
                most=1,
                ends_at=now(),
            )
        )
        session.add(Delivery(participation_id=participation.id, kind="invite", **common))
        session.add(Recall(id=new_id(), org_id=org_id, erasure_id=erasure.id, files=1, ends_at=now()))
        asked = desk.open_for(
            session,
            Right.ACCESS,
            Channel.HR,
            member=person,
            asked=Words(),
            language="en",
            actor=audit.SYSTEM,
        )
        session.add(Farewell(id=new_id(), org_id=org_id, erasure_id=erasure.id))
        session.add(ShownNotice(id=new_id(), org_id=org_id, sha256="0" * 64, content="{}"))
        session.add(
            CompanyReport(
                id=new_id(),
                org_id=org_id,
                report="records",
                language="en",
                version=1,
                facts={},
                facts_sha256="0" * 64,
                pdf=b"%PDF",
                sha256="0" * 64,
            )
        )
        session.flush()
        session.add(
            OpendsrRequest(
                org_id=org_id,
                domain="hr.example",
                subject_request_id=new_id(),
                request_id=asked.id,
                body_sha256="0" * 64,
                callbacks=[],
            )
        )
        session.add(OpendsrController(org_id=org_id, domain="hr.example", certificate="pem"))
        session.add(ConsentReceipt(act=Act.DECLINED, language="en", consents=[], by_company=False, **common))
        session.add(PrivacyVersion(org_id=org_id, version=1, facts={}, facts_sha256="0" * 64))
        session.add(Breach(org_id=org_id, number=1, aware_at=now(), facts={}))
        session.add(Statement(id=new_id(), org_id=org_id, month="2026-11", pdf=b"%PDF", sha256="0" * 64))
        session.add(
            SamlConnectionRow(
                id=new_id(),
                org_id=org_id,
                idp_entity_id="https://idp.example",
                idp_sso_url="https://idp.example/sso",
                idp_certificates=[],
                attributes={},
                admin_groups=[],
                auditor_groups=[],
            )
        )
        enqueue(session, JobName.PURGE, member.id)
        sequencer.sequence(session)


@pytest.fixture
def two(org: UUID) -> tuple[UUID, UUID]:
    """Two organizations with rows in every table."""
    other = organizations.create("globex", "Globex")
    fill(org)
    fill(other)
    return org, other


def owner_column(table: str) -> str:
    return "id" if table == "organizations" else "org_id"


def test_every_table_is_tried_and_walled(two: tuple[UUID, UUID]) -> None:
    """A table that a later change adds without a wall fails here by name."""
    with engine().connect() as connection:
        walled = {
            name
            for name, enabled, forced in connection.execute(
                text(
                    "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class"
                    " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
                )
            )
            if enabled and forced
        }
    assert set(TABLES) <= walled


def test_raw_sql_of_one_organization_sees_no_row_of_another(two: tuple[UUID, UUID]) -> None:
    mine, _ = two
    with transaction(mine) as session:
        seen = {
            table: {
                row[0] for row in session.execute(text(f"SELECT DISTINCT {owner_column(table)} FROM {table}"))
            }
            for table in TABLES
        }
    assert seen == {table: {mine} for table in TABLES}


def test_without_an_organization_nothing_is_visible(two: tuple[UUID, UUID]) -> None:
    with engine().connect() as connection:
        counts = {
            table: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in TABLES
        }
    assert counts == dict.fromkeys(TABLES, 0)


def test_rows_of_another_organization_cannot_be_changed_or_deleted(two: tuple[UUID, UUID]) -> None:
    mine, other = two
    for table in TABLES:
        column = owner_column(table)
        for statement in (
            f"UPDATE {table} SET {column} = {column} WHERE {column} = :other",
            f"DELETE FROM {table} WHERE {column} = :other",
        ):
            assert changed(mine, statement, other) in ("permission denied", 0), statement


def changed(org_id: UUID, statement: str, other: UUID) -> int | str:
    """Run a statement; return how many rows it touched, or that it was refused."""
    with engine().connect() as connection:
        connection.execute(text("SELECT set_config('app.org_id', :org, false)"), {"org": str(org_id)})
        try:
            return connection.execute(text(statement), {"other": other}).rowcount
        except ProgrammingError as refused:
            return "permission denied" if "permission denied" in str(refused) else str(refused)
        finally:
            connection.rollback()
            connection.execute(text("RESET app.org_id"))
            connection.commit()


def test_a_token_of_an_open_link_says_its_company_and_link_alone(two: tuple[UUID, UUID]) -> None:
    """What is asked before a company is known is one function, which gives nothing but two numbers."""
    for one in two:
        found = Lookup.open_link(one.bytes * 2)
        assert found is not None
        assert found[0] == one
    assert Lookup.open_link(b"x" * 32) is None
    with engine().connect() as connection:
        assert connection.execute(text("SELECT * FROM open_links")).all() == []
        given = connection.execute(
            text(
                "SELECT column_name FROM information_schema.column_privileges"
                " WHERE grantee = 'headshots_lookup' AND table_name = 'open_links'"
            )
        ).scalars()
        assert set(given) <= {"id", "org_id", "token_sha256"}


def test_a_row_cannot_be_written_into_another_organization(two: tuple[UUID, UUID]) -> None:
    mine, other = two
    evil = Organization(id=new_id(), slug="evil", name="Evil")
    with pytest.raises(DBAPIError, match="row-level security"), transaction(mine) as session:
        session.add(evil)
    for mapped in Base.registry.mappers:
        if mapped.class_ in (Organization, Installation, DirectoryState, Attestation):
            continue
        with transaction(mine) as session:
            row = session.scalars(select(mapped.class_).limit(1)).one()
            stored = [one for one in mapped.local_table.columns if one.computed is None]
            columns = {one.name: mapped.get_property_by_column(one).key for one in stored}
            values = {name: getattr(row, key) for name, key in columns.items()}
        values["org_id"] = other
        for column in mapped.primary_key:
            if column.name == "id" and isinstance(column.type, Uuid):
                values["id"] = new_id()
        with pytest.raises(DBAPIError, match="row-level security"), transaction(mine) as session:
            session.execute(mapped.local_table.insert().values(**values))


def test_app_role_cannot_lift_the_wall(two: tuple[UUID, UUID]) -> None:
    attempts = (
        "SET ROLE headshots_owner",
        "SET ROLE headshots_lookup",
        "SET row_security = off; SELECT * FROM members",
        "ALTER TABLE members DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant ON members",
        "CREATE POLICY open ON members USING (true)",
        "ALTER ROLE headshots_app BYPASSRLS",
        "COPY members TO PROGRAM 'cat'",
        "TRUNCATE members CASCADE",
    )
    for attempt in attempts:
        with pytest.raises(DBAPIError), engine().begin() as connection:
            connection.execute(text(attempt))


def test_evidence_cannot_be_rewritten_by_the_app(two: tuple[UUID, UUID]) -> None:
    mine, _ = two
    for statement in (
        "UPDATE audit_events SET tag = 'nothing.happened'",
        "DELETE FROM audit_events",
        "UPDATE log_nodes SET hash = ''",
        "DELETE FROM checkpoints",
        "UPDATE certificates SET status = 'COMPLETE'",
    ):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction(mine) as session:
            session.execute(text(statement))


def test_pooled_connection_forgets_the_organization(two: tuple[UUID, UUID]) -> None:
    mine, _ = two
    with transaction(mine) as session:
        assert session.scalars(select(Member.id)).all()
    with Session(engine()) as session:
        assert session.scalars(select(Member.id)).all() == []


@pytest.mark.parametrize("table", TABLES)
def test_the_wall_of_a_table_is_asked_once_for_a_statement(environment: dict[str, str], table: str) -> None:
    """Asked for each row it takes most of the time of a long list (PostgreSQL manual, 5.9; InitPlan)."""
    with engine().connect() as connection:
        wall, check = connection.execute(
            text(
                "SELECT qual, with_check FROM pg_policies WHERE tablename = :table AND policyname = 'tenant'"
            ),
            {"table": table},
        ).one()
    assert "( SELECT (NULLIF(current_setting('app.org_id'" in wall
    assert check == wall

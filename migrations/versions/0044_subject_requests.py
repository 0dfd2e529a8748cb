"""What people ask for of their data, and in which country and zone of time their company answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

APP = "headshots_app"
TABLE = "subject_requests"
CURRENT = "(SELECT NULLIF(current_setting('app.org_id', true), '')::uuid)"


def _moment(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _code(name: str, length: int = 16, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def upgrade() -> None:
    op.add_column("organizations", sa.Column("country", sa.String(2), nullable=False, server_default=""))
    op.add_column("organizations", sa.Column("time_zone", sa.String(48), nullable=False, server_default="UTC"))
    op.create_table(
        TABLE,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        _moment("created_at", nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        _code("type", nullable=False),
        _code("channel", nullable=False),
        _code("regime", nullable=False),
        _code("state", nullable=False),
        _code("language", 8, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        _moment("received_at", nullable=False),
        _moment("acknowledge_by", nullable=False),
        _moment("acknowledged_at"),
        _moment("first_due_at", nullable=False),
        _moment("due_at", nullable=False),
        _moment("extended_at"),
        _code("extension", 32),
        _code("verification", 24),
        _code("tier", 24),
        sa.Column("points", sa.Integer(), nullable=True),
        sa.Column("verified", sa.Boolean(), nullable=True),
        _moment("verified_at"),
        sa.Column("tries", sa.Integer(), nullable=False, server_default=sa.text("0")),
        _code("hold", 32),
        _moment("held_at"),
        _moment("lifted_at"),
        _code("proposed"),
        sa.Column("proposed_by", sa.Uuid(), nullable=True),
        _code("decision"),
        _code("basis", 40),
        _moment("decided_at"),
        _moment("delivered_at"),
        _moment("closed_at"),
        sa.Column("erasure_id", sa.Uuid(), nullable=True),
        _code("evidence_sha256", 64),
        sa.Column("processors", postgresql.JSONB(), nullable=False, server_default=sa.text("'[]'::jsonb")),
        sa.Column("reminded", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("events", postgresql.ARRAY(sa.Uuid()), nullable=False, server_default=sa.text("'{}'::uuid[]")),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name="fk_subject_requests_org_id"),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_subject_requests_member_id"),
        sa.ForeignKeyConstraint(["erasure_id"], ["erasures.id"], name="fk_subject_requests_erasure_id"),
        sa.PrimaryKeyConstraint("id", name="pk_subject_requests"),
    )
    op.create_index(
        "ix_subject_requests_due", TABLE, ["org_id", "due_at", "id"], postgresql_where=sa.text("decided_at IS NULL")
    )
    op.create_index("ix_subject_requests_state", TABLE, ["org_id", "state", "id"])
    op.create_index("ix_subject_requests_member", TABLE, ["member_id", "id"])
    # What is about a person leaves no sample in the database's statistics; see 0030.
    op.execute(f"ALTER TABLE {TABLE} ALTER COLUMN sealed SET STATISTICS 0")
    op.execute(f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {TABLE} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {TABLE} USING (org_id = {CURRENT}) WITH CHECK (org_id = {CURRENT})")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {TABLE} TO {APP}")


def downgrade() -> None:
    op.drop_table(TABLE)
    op.drop_column("organizations", "time_zone")
    op.drop_column("organizations", "country")

"""Lists of people that are imported behind the pages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

APP = "headshots_app"
CURRENT = "NULLIF(current_setting('app.org_id', true), '')::uuid"


def upgrade() -> None:
    op.create_table(
        "roster_imports",
        sa.Column("shoot_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("choice", postgresql.JSONB(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("outcomes", postgresql.JSONB(), nullable=False),
        sa.Column("invited", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("result_id", sa.Uuid(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.String(length=64), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["shoot_id"], ["shoots.id"], name="fk_roster_imports_shoot_id"),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_roster_imports_member_id"),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name="fk_roster_imports_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_roster_imports"),
    )
    op.create_index("ix_roster_imports_shoot", "roster_imports", ["shoot_id"])
    op.execute("ALTER TABLE roster_imports ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE roster_imports FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON roster_imports USING (org_id = {CURRENT}) WITH CHECK (org_id = {CURRENT})"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON roster_imports TO {APP}")


def downgrade() -> None:
    op.drop_table("roster_imports")

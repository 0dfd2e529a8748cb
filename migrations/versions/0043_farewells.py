"""The mail that tells somebody that others had them erased, sealed until it is sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

APP = "headshots_app"
CURRENT = "(SELECT NULLIF(current_setting('app.org_id', true), '')::uuid)"


def upgrade() -> None:
    op.create_table(
        "farewells",
        sa.Column("erasure_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.String(length=64), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["erasure_id"], ["erasures.id"], name="fk_farewells_erasure_id"),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name="fk_farewells_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_farewells"),
        sa.UniqueConstraint("erasure_id", name="uq_farewells_erasure_id"),
    )
    op.execute("ALTER TABLE farewells ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE farewells FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON farewells USING (org_id = {CURRENT}) WITH CHECK (org_id = {CURRENT})"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON farewells TO {APP}")


def downgrade() -> None:
    op.drop_table("farewells")

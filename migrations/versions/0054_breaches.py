"""The register of breaches: nothing is deleted from it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

APP = "headshots_app"
CURRENT = "(SELECT NULLIF(current_setting('app.org_id', true), '')::uuid)"


def upgrade() -> None:
    op.create_table(
        "breaches",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("aware_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("authority", sa.String(length=8), nullable=True),
        sa.Column("authority_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("people", sa.String(length=8), nullable=True),
        sa.Column("people_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("events", postgresql.ARRAY(sa.Uuid()), nullable=False, server_default=sa.text("'{}'::uuid[]")),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name="fk_breaches_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_breaches"),
        sa.UniqueConstraint("org_id", "number", name="uq_breaches_number"),
    )
    op.execute("ALTER TABLE breaches ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE breaches FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON breaches USING (org_id = {CURRENT}) WITH CHECK (org_id = {CURRENT})")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON breaches TO {APP}")


def downgrade() -> None:
    op.drop_table("breaches")

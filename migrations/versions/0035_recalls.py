"""Who a company is in law, the copies that it is asked to delete after an erasure, and monthly statements of what ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

APP = "headshots_app"
CURRENT = "(SELECT NULLIF(current_setting('app.org_id', true), '')::uuid)"


def upgrade() -> None:
    for name in ("legal_name", "postal_address"):
        op.add_column("organizations", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "recalls",
        sa.Column("erasure_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["erasure_id"], ["erasures.id"], name="fk_recalls_erasure_id"),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name="fk_recalls_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_recalls"),
        sa.UniqueConstraint("erasure_id", name="uq_recalls_erasure_id"),
    )
    op.create_table(
        "statements",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("pdf", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name="fk_statements_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_statements"),
        sa.UniqueConstraint("org_id", "month", name="uq_statements_month"),
    )
    for table in ("recalls", "statements"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tenant ON {table} USING (org_id = {CURRENT}) WITH CHECK (org_id = {CURRENT})"
        )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON recalls TO {APP}")
    op.execute(f"GRANT SELECT, INSERT ON statements TO {APP}")


def downgrade() -> None:
    op.drop_table("statements")
    op.drop_table("recalls")
    for name in ("postal_address", "legal_name"):
        op.drop_column("organizations", name)

"""Signed reports about how a company handles data, in versions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

APP = "headshots_app"
CURRENT = "(SELECT NULLIF(current_setting('app.org_id', true), '')::uuid)"


def upgrade() -> None:
    op.create_table(
        "company_reports",
        sa.Column("report", sa.String(length=24), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("facts_sha256", sa.String(length=64), nullable=False),
        sa.Column("pdf", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name="fk_company_reports_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_company_reports"),
        sa.UniqueConstraint("org_id", "report", "language", "version", name="uq_company_reports_version"),
    )
    op.execute("ALTER TABLE company_reports ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE company_reports FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON company_reports USING (org_id = {CURRENT}) WITH CHECK (org_id = {CURRENT})"
    )
    op.execute(f"GRANT SELECT, INSERT ON company_reports TO {APP}")


def downgrade() -> None:
    op.drop_table("company_reports")

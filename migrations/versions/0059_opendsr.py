"""Programs that ask for a company by OpenDSR, and what they asked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None

APP = "headshots_app"
CURRENT = "(SELECT NULLIF(current_setting('app.org_id', true), '')::uuid)"


def upgrade() -> None:
    op.create_table(
        "opendsr_controllers",
        sa.Column("domain", sa.String(length=253), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name="fk_opendsr_controllers_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_opendsr_controllers"),
        sa.UniqueConstraint("org_id", "domain", name="uq_opendsr_controllers_domain"),
    )
    op.create_table(
        "opendsr_requests",
        sa.Column("domain", sa.String(length=253), nullable=False),
        sa.Column("subject_request_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("body_sha256", sa.String(length=64), nullable=False),
        sa.Column("callbacks", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("told", sa.String(length=16), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name="fk_opendsr_requests_org_id"),
        sa.ForeignKeyConstraint(
            ["request_id"], ["subject_requests.id"], name="fk_opendsr_requests_request_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_opendsr_requests"),
        sa.UniqueConstraint("org_id", "domain", "subject_request_id", name="uq_opendsr_requests_id"),
    )
    op.create_index("ix_opendsr_requests_request", "opendsr_requests", ["request_id"])
    for table, may in (
        ("opendsr_controllers", "SELECT, INSERT, UPDATE, DELETE"),
        ("opendsr_requests", "SELECT, INSERT, UPDATE (told), DELETE"),
    ):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tenant ON {table} USING (org_id = {CURRENT}) WITH CHECK (org_id = {CURRENT})"
        )
        op.execute(f"GRANT {may} ON {table} TO {APP}")


def downgrade() -> None:
    op.drop_table("opendsr_requests")
    op.drop_table("opendsr_controllers")

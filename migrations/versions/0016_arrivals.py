"""Photos of which a part has arrived."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

APP = "headshots_app"
CURRENT = "NULLIF(current_setting('app.org_id', true), '')::uuid"


def upgrade() -> None:
    op.create_table(
        "arrivals",
        sa.Column("participation_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("upload_key", sa.String(length=64), nullable=False),
        sa.Column("pieces", postgresql.JSONB(), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["participation_id"], ["participations.id"], name="fk_arrivals_participation_id"
        ),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_arrivals_member_id"),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name="fk_arrivals_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_arrivals"),
        sa.UniqueConstraint("participation_id", "upload_key", name="uq_arrivals_upload_key"),
    )
    op.create_index("ix_arrivals_member", "arrivals", ["member_id"])
    op.execute("ALTER TABLE arrivals ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE arrivals FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON arrivals USING (org_id = {CURRENT}) WITH CHECK (org_id = {CURRENT})")
    # A row says nothing any more once its photo is here.
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON arrivals TO {APP}")


def downgrade() -> None:
    op.drop_table("arrivals")

"""Pictures that wait to be judged by a worker."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

APP = "headshots_app"
CURRENT = "NULLIF(current_setting('app.org_id', true), '')::uuid"


def upgrade() -> None:
    op.create_table(
        "uploads",
        sa.Column("use", sa.String(length=16), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("originals", postgresql.JSONB(), nullable=False),
        sa.Column("result_id", sa.Uuid(), nullable=True),
        sa.Column("refusal", postgresql.JSONB(), nullable=True),
        sa.Column("left_out", postgresql.JSONB(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_uploads_member_id"),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name="fk_uploads_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_uploads"),
    )
    op.create_index("ix_uploads_member", "uploads", ["member_id"])
    op.execute("ALTER TABLE uploads ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE uploads FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON uploads USING (org_id = {CURRENT}) WITH CHECK (org_id = {CURRENT})")
    # They say nothing any more once they are a day old.
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON uploads TO {APP}")


def downgrade() -> None:
    op.drop_table("uploads")

"""Photos whose check failed are kept for another; work that does not work is found quickly."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("photos", sa.Column("check_failed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_outbox_failing",
        "outbox",
        ["job"],
        postgresql_where=sa.text("first_failed_at IS NOT NULL AND done_at IS NULL"),
    )
    # What was given up before anybody counted since when it failed.
    op.execute("ALTER TABLE outbox NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "UPDATE outbox SET first_failed_at = failed_at WHERE failed_at IS NOT NULL AND first_failed_at IS NULL"
    )
    op.execute("ALTER TABLE outbox FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.drop_index("ix_outbox_failing", table_name="outbox")
    op.drop_column("photos", "check_failed_at")

"""Find the few people who can do nothing now without looking at all others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0077"
down_revision = "0076"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_members_shut",
        "members",
        ["org_id"],
        postgresql_where=sa.text("disabled_at IS NOT NULL OR restricted_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_members_shut", table_name="members")

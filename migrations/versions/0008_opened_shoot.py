"""Which shoot's link a browser's session was opened with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Nullable: no row is rewritten, and the previous release does not notice.
    op.add_column("web_sessions", sa.Column("participation_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        "fk_web_sessions_participation_id", "web_sessions", "participations", ["participation_id"], ["id"]
    )


def downgrade() -> None:
    op.drop_constraint("fk_web_sessions_participation_id", "web_sessions", type_="foreignkey")
    op.drop_column("web_sessions", "participation_id")

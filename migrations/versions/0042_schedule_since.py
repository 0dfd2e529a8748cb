"""Since when a company could choose how long things are kept: nobody who left long before is erased at an upgrade."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # This moment for all that are there, as a default, so that going back loses nothing.
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    op.add_column(
        "organizations",
        sa.Column(
            "schedule_since", sa.DateTime(timezone=True), server_default=sa.text(f"'{moment}'::timestamptz"), nullable=False
        ),
    )


def downgrade() -> None:
    op.drop_column("organizations", "schedule_since")

"""Which link was sent as a reminder, and who wants no more of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "invites", sa.Column("reminder", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column(
        "participations", sa.Column("reminders_ended_at", sa.DateTime(timezone=True), nullable=True)
    )


def downgrade() -> None:
    op.drop_column("participations", "reminders_ended_at")
    op.drop_column("invites", "reminder")

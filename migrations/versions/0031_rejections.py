"""What a person says is wrong with a headshot, and when they said it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("headshots", sa.Column("rejected_code", sa.String(16), nullable=True))
    op.add_column("headshots", sa.Column("rejected_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("headshots", "rejected_at")
    op.drop_column("headshots", "rejected_code")

"""When a shoot reminds by itself, the hours in which no reminder leaves, and which mails keep them.

A shoot from before reminds by nobody's click but HR's, as it did.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "shoots",
        sa.Column(
            "reminder_days", postgresql.ARRAY(sa.SmallInteger()), server_default=sa.text("'{}'"), nullable=False
        ),
    )
    op.add_column("invites", sa.Column("by_day", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    for name, hour in (("quiet_from", 18), ("quiet_until", 8)):
        op.add_column(
            "organizations",
            sa.Column(name, sa.SmallInteger(), server_default=sa.text(str(hour)), nullable=False),
        )


def downgrade() -> None:
    op.drop_column("organizations", "quiet_until")
    op.drop_column("organizations", "quiet_from")
    op.drop_column("invites", "by_day")
    op.drop_column("shoots", "reminder_days")

"""Which run of the studio made a headshot: a page shows the newest."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# Of every company: the wall holds for the owner, too. A run ranks what it made from 0 on.
BACKFILL = """
UPDATE headshots h SET run = counted.run FROM (
    SELECT id, greatest(1, count(*) FILTER (WHERE rank = 0) OVER (
        PARTITION BY participation_id ORDER BY created_at, rank ROWS UNBOUNDED PRECEDING)) AS run
    FROM headshots
) counted WHERE counted.id = h.id AND counted.run <> 1
"""


def upgrade() -> None:
    # The previous release adds rows without it.
    op.add_column("headshots", sa.Column("run", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.execute("ALTER TABLE headshots NO FORCE ROW LEVEL SECURITY")
    op.execute(BACKFILL)
    op.execute("ALTER TABLE headshots FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.drop_column("headshots", "run")

"""What was measured on a face lies sealed in one column of its row; a mark says from when on it lies nowhere else."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

TABLES = ("photos", "headshots", "adapters", "participations")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("sealed", sa.LargeBinary(), nullable=True))
        # What is about a person leaves no sample in the database's statistics; see 0030.
        op.execute(f"ALTER TABLE {table} ALTER COLUMN sealed SET STATISTICS 0")
    op.add_column("installation", sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("installation", "sealed_at")
    for table in TABLES:
        op.drop_column(table, "sealed")

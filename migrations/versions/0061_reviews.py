"""Pictures that a company looks at before they are handed over, or asks for again, and what an archive held already."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0061"
down_revision = "0059"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("headshots", sa.Column("returned_code", sa.String(16), nullable=True))
    op.execute("ALTER TABLE headshots ALTER COLUMN returned_code SET STATISTICS 0")
    op.add_column("headshots", sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("ALTER TABLE headshots ALTER COLUMN returned_at SET STATISTICS 0")
    op.add_column("headshots", sa.Column("reviewed_by", sa.Uuid(), nullable=True))
    op.add_column("headshots", sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("shoots", sa.Column("reviewed", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("participations", sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("participations", "archived_at")
    op.drop_column("shoots", "reviewed")
    for column in ("reviewed_at", "reviewed_by", "returned_at", "returned_code"):
        op.drop_column("headshots", column)

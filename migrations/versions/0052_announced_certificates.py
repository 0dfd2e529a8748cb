"""A certificate whose facts are in the log lies in its erasure until its document is made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("erasures", sa.Column("announced", sa.LargeBinary(), nullable=True))
    op.add_column("erasures", sa.Column("announced_event", sa.Uuid(), nullable=True))


def downgrade() -> None:
    op.drop_column("erasures", "announced_event")
    op.drop_column("erasures", "announced")

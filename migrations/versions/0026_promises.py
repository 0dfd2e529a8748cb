"""For how many days the consent pages promised to keep selfies at most."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Nullable: until a company's days change, everybody was promised those that stand there.
    op.add_column("participations", sa.Column("promised_days", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("participations", "promised_days")

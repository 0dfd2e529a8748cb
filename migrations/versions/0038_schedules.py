"""A company says for each kind of thing how long it is kept; companies from before keep what they kept, up to the legal end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

COLUMNS = {"model_days": "365", "headshot_days": "1095", "decliner_days": "365", "leaver_days": "365", "schedule_version": "1"}


def upgrade() -> None:
    for name, days in COLUMNS.items():
        op.add_column("organizations", sa.Column(name, sa.Integer(), server_default=sa.text(days), nullable=False))
    op.add_column("participations", sa.Column("promised_headshot_days", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("participations", "promised_headshot_days")
    for name in COLUMNS:
        op.drop_column("organizations", name)

"""To whom a company has its newest checkpoint mailed each day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("organizations", sa.Column("checkpoint_emails", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("organizations", "checkpoint_emails")

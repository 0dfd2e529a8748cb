"""Until when somebody may enter the company's pages, where that has an end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0075"
down_revision = "0072"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("members", sa.Column("access_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("members", "access_until")

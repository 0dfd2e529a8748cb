"""Why each stored file ended, so that monthly statements can say it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("artifacts", sa.Column("ended_because", sa.String(16), nullable=True))


def downgrade() -> None:
    op.drop_column("artifacts", "ended_because")

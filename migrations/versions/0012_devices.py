"""On which device a session began, that its person does not know it, and that they were told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("web_sessions", sa.Column("device_sha256", sa.LargeBinary(32), nullable=True))
    op.add_column("web_sessions", sa.Column("system", sa.String(16), nullable=True))
    op.add_column("web_sessions", sa.Column("disowned_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("web_sessions", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for column in ("told_at", "disowned_at", "system", "device_sha256"):
        op.drop_column("web_sessions", column)

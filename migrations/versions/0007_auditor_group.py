"""Which groups of a company's identity provider are auditors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The default stays: the previous release, which may still run, names no such column.
    op.add_column(
        "saml_connections",
        sa.Column("auditor_groups", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("saml_connections", "auditor_groups")

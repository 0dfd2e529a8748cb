"""Whether a company's sign-ins may start at its identity provider."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "saml_connections",
        sa.Column("allow_unsolicited", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("saml_connections", "allow_unsolicited")

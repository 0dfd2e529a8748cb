"""Who of the operator's attests that no backup holds the epoch keys, and when they were last reminded of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

APP = "headshots_app"


def upgrade() -> None:
    op.create_table(
        "attestations",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("role", sa.String(200), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
    )
    op.execute(f"GRANT SELECT, INSERT ON attestations TO {APP}")
    op.add_column(
        "installation", sa.Column("attestation_asked_at", sa.DateTime(timezone=True), nullable=True)
    )


def downgrade() -> None:
    op.drop_column("installation", "attestation_asked_at")
    op.drop_table("attestations")

"""Ask joiners, and whoever was photographed long ago, for new photos by a rule of the company."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0078"
down_revision = "0077"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("organizations", sa.Column("renewal", postgresql.JSONB(), nullable=True))
    op.add_column("shoots", sa.Column("renews", sa.Date(), nullable=True))
    op.create_unique_constraint("uq_shoots_org_id", "shoots", ["org_id", "renews"])


def downgrade() -> None:
    op.drop_constraint("uq_shoots_org_id", "shoots")
    op.drop_column("shoots", "renews")
    op.drop_column("organizations", "renewal")

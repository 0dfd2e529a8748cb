"""Which installation this database is of, and which keys were made for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

APP = "headshots_app"


def upgrade() -> None:
    op.create_table(
        "installation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("single", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fingerprints", postgresql.JSONB(), nullable=False),
        sa.Column("generation", sa.Uuid(), nullable=False),
        sa.Column("next_generation", sa.Uuid(), nullable=True),
        sa.Column("backup_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("drill_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("single", name=op.f("ck_installation_single")),
        sa.PrimaryKeyConstraint("id", name="pk_installation"),
        sa.UniqueConstraint("single", name="uq_installation_single"),
    )
    # It says nothing of any company, so no wall is around it.
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON installation TO {APP}")


def downgrade() -> None:
    op.drop_table("installation")

"""What witnesses say of checkpoints."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

APP = "headshots_app"
CURRENT = "(SELECT NULLIF(current_setting('app.org_id', true), '')::uuid)"


def upgrade() -> None:
    op.create_table(
        "cosignatures",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("witness", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name="fk_cosignatures_org_id"),
        sa.PrimaryKeyConstraint("org_id", "size", "witness", name="pk_cosignatures"),
    )
    op.execute("ALTER TABLE cosignatures ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE cosignatures FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON cosignatures USING (org_id = {CURRENT}) WITH CHECK (org_id = {CURRENT})"
    )
    op.execute(f"GRANT SELECT, INSERT ON cosignatures TO {APP}")


def downgrade() -> None:
    op.drop_table("cosignatures")

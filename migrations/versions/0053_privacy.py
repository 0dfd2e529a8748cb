"""What a company states of how it answers for its people's data, in versions that nothing changes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

APP = "headshots_app"
CURRENT = "(SELECT NULLIF(current_setting('app.org_id', true), '')::uuid)"


def upgrade() -> None:
    op.create_table(
        "privacy_versions",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("facts_sha256", sa.String(length=64), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name="fk_privacy_versions_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_privacy_versions"),
        sa.UniqueConstraint("org_id", "version", name="uq_privacy_versions_version"),
    )
    op.execute("ALTER TABLE privacy_versions ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE privacy_versions FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON privacy_versions USING (org_id = {CURRENT}) WITH CHECK (org_id = {CURRENT})"
    )
    op.execute(f"GRANT SELECT, INSERT ON privacy_versions TO {APP}")


def downgrade() -> None:
    op.drop_table("privacy_versions")

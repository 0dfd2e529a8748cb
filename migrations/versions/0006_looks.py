"""The company's look: pictures that a style is learned from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

APP = "headshots_app"
CURRENT = "NULLIF(current_setting('app.org_id', true), '')::uuid"


def upgrade() -> None:
    op.create_table(
        "looks",
        sa.Column("pictures", postgresql.JSONB(), nullable=False),
        sa.Column("adapter_id", sa.Uuid(), nullable=True),
        sa.Column("checkpoint_id", sa.Uuid(), nullable=True),
        sa.Column("failure_code", sa.String(length=64), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["adapter_id"], ["adapters.id"], name="fk_looks_adapter_id"),
        sa.ForeignKeyConstraint(["checkpoint_id"], ["artifacts.id"], name="fk_looks_checkpoint_id"),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name="fk_looks_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_looks"),
    )
    op.execute("ALTER TABLE looks ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE looks FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON looks USING (org_id = {CURRENT}) WITH CHECK (org_id = {CURRENT})")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON looks TO {APP}")

    # Nullable: no row is rewritten, and the previous release does not notice.
    op.add_column("styles", sa.Column("look_id", sa.Uuid(), nullable=True))
    op.create_foreign_key("fk_styles_look_id", "styles", "looks", ["look_id"], ["id"])
    op.create_index("ix_styles_look", "styles", ["look_id"])


def downgrade() -> None:
    op.drop_index("ix_styles_look", "styles")
    op.drop_constraint("fk_styles_look_id", "styles", type_="foreignkey")
    op.drop_column("styles", "look_id")
    op.drop_table("looks")

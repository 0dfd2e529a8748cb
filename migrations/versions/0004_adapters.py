"""Trained adapters, who made which headshot, and what the GPU took."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

APP = "headshots_app"
CURRENT = "NULLIF(current_setting('app.org_id', true), '')::uuid"


def upgrade() -> None:
    op.create_table(
        "adapters",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("participation_id", sa.Uuid(), nullable=True),
        sa.Column("style_id", sa.Uuid(), nullable=True),
        sa.Column("artifact_id", sa.Uuid(), nullable=False),
        sa.Column("base", sa.String(length=32), nullable=False),
        sa.Column("revision", sa.String(length=128), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("photos", postgresql.JSONB(), nullable=False),
        sa.Column("curve", postgresql.JSONB(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("watt_hours", sa.Float(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["artifact_id"], ["artifacts.id"], name="fk_adapters_artifact_id"),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_adapters_member_id"),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name="fk_adapters_org_id"),
        sa.ForeignKeyConstraint(
            ["participation_id"], ["participations.id"], name="fk_adapters_participation_id"
        ),
        sa.ForeignKeyConstraint(["style_id"], ["styles.id"], name="fk_adapters_style_id"),
        sa.PrimaryKeyConstraint("id", name="pk_adapters"),
    )
    op.create_index("ix_adapters_member", "adapters", ["member_id"])
    op.create_index("ix_adapters_participation", "adapters", ["participation_id"])
    op.create_index("ix_adapters_style", "adapters", ["style_id"])
    op.execute("ALTER TABLE adapters ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE adapters FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON adapters USING (org_id = {CURRENT}) WITH CHECK (org_id = {CURRENT})"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON adapters TO {APP}")

    # Nullable, or with a constant default that Postgres keeps beside the table: no row is rewritten, and
    # the previous release does not notice.
    op.add_column("participations", sa.Column("fallback_code", sa.String(length=64), nullable=True))
    op.add_column("participations", sa.Column("checkpoint_id", sa.Uuid(), nullable=True))
    op.add_column(
        "participations", sa.Column("gpu_seconds", sa.Float(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column("participations", sa.Column("gpu_watt_hours", sa.Float(), nullable=True))
    op.create_foreign_key(
        "fk_participations_checkpoint_id", "participations", "artifacts", ["checkpoint_id"], ["id"]
    )
    op.add_column("headshots", sa.Column("adapter_id", sa.Uuid(), nullable=True))
    op.add_column("headshots", sa.Column("seed", sa.BigInteger(), nullable=True))
    op.create_foreign_key("fk_headshots_adapter_id", "headshots", "adapters", ["adapter_id"], ["id"])


def downgrade() -> None:
    op.drop_constraint("fk_headshots_adapter_id", "headshots", type_="foreignkey")
    op.drop_column("headshots", "seed")
    op.drop_column("headshots", "adapter_id")
    op.drop_constraint("fk_participations_checkpoint_id", "participations", type_="foreignkey")
    op.drop_column("participations", "gpu_watt_hours")
    op.drop_column("participations", "gpu_seconds")
    op.drop_column("participations", "checkpoint_id")
    op.drop_column("participations", "fallback_code")
    op.drop_table("adapters")

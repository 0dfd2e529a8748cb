"""A company's own words in mails to people, the name that they are from, and where answers go."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0072"
down_revision = "0071"
branch_labels = None
depends_on = None

APP = "headshots_app"
CURRENT = "(SELECT NULLIF(current_setting('app.org_id', true), '')::uuid)"


def upgrade() -> None:
    op.create_table(
        "mail_texts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organizations.id"], name=op.f("fk_mail_texts_org_id_organizations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_texts")),
        sa.UniqueConstraint("org_id", "kind", "language", name="uq_mail_texts_kind"),
    )
    op.execute("ALTER TABLE mail_texts ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE mail_texts FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON mail_texts USING (org_id = {CURRENT}) WITH CHECK (org_id = {CURRENT})"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON mail_texts TO {APP}")
    op.add_column(
        "organizations", sa.Column("sender_name", sa.String(120), server_default="", nullable=False)
    )
    op.add_column("organizations", sa.Column("reply_to", sa.String(254), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("organizations", "reply_to")
    op.drop_column("organizations", "sender_name")
    op.drop_table("mail_texts")

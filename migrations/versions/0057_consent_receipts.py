"""One row for each decision about consents, for which a person has a receipt; nothing changes it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0057"
down_revision = "0055"
branch_labels = None
depends_on = None

APP = "headshots_app"
CURRENT = "(SELECT NULLIF(current_setting('app.org_id', true), '')::uuid)"


def upgrade() -> None:
    op.create_table(
        "consent_receipts",
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("participation_id", sa.Uuid(), nullable=True),
        sa.Column("act", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("consents", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("notice_sha256", sa.String(length=64), nullable=True),
        sa.Column("alternative", sa.String(length=16), nullable=True),
        sa.Column("by_company", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_consent_receipts_member_id"),
        sa.ForeignKeyConstraint(
            ["participation_id"], ["participations.id"], name="fk_consent_receipts_participation_id"
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name="fk_consent_receipts_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_consent_receipts"),
    )
    op.create_index("ix_consent_receipts_member", "consent_receipts", ["member_id", "id"])
    op.execute("ALTER TABLE consent_receipts ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE consent_receipts FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON consent_receipts USING (org_id = {CURRENT}) WITH CHECK (org_id = {CURRENT})"
    )
    op.execute(f"GRANT SELECT, INSERT ON consent_receipts TO {APP}")
    op.execute(
        """
CREATE FUNCTION receipts_stay() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $body$
BEGIN
  RAISE EXCEPTION 'a receipt is not changed' USING ERRCODE = 'restrict_violation';
END $body$"""
    )
    op.execute(
        "CREATE TRIGGER stays BEFORE UPDATE ON consent_receipts FOR EACH ROW EXECUTE FUNCTION receipts_stay()"
    )


def downgrade() -> None:
    op.drop_table("consent_receipts")
    op.execute("DROP FUNCTION receipts_stay()")

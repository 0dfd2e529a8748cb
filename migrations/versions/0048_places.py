"""Where somebody works, the texts that people answered, and answers that nothing changes.

Of a row of `consents` the database lets two things change, and for the tables' owner too: that it was taken back, once,
and that a typed name is overwritten at erasure.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

APP = "headshots_app"
CURRENT = "(SELECT NULLIF(current_setting('app.org_id', true), '')::uuid)"


def upgrade() -> None:
    for table in ("members", "directory"):
        op.add_column(table, sa.Column("place", sa.String(6), nullable=True))
        op.execute(f"ALTER TABLE {table} ALTER COLUMN place SET STATISTICS 0")
    op.add_column("participations", sa.Column("destroy_by", sa.DateTime(timezone=True), nullable=True))
    op.add_column("erasures", sa.Column("regime", sa.String(16), nullable=True))
    op.add_column("consents", sa.Column("notice_sha256", sa.String(64), nullable=True))
    op.add_column("consents", sa.Column("signed", sa.LargeBinary(), nullable=True))
    op.execute("ALTER TABLE consents ALTER COLUMN signed SET STATISTICS 0")
    op.create_table(
        "notices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_notices_org_id_organizations")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("org_id", "sha256", name="uq_notices_sha256"),
    )
    op.execute("ALTER TABLE notices ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE notices FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON notices USING (org_id = {CURRENT}) WITH CHECK (org_id = {CURRENT})")
    op.execute(f"GRANT SELECT, INSERT ON notices TO {APP}")
    op.execute(
        """
CREATE FUNCTION consents_stay() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $body$
BEGIN
  IF OLD.withdrawn_at IS NOT NULL AND NEW.withdrawn_at IS NULL THEN
    RAISE EXCEPTION 'a consent that was taken back stays so' USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.signed IS NOT NULL AND NEW.signed IS DISTINCT FROM OLD.signed THEN
    RAISE EXCEPTION 'a signature is not changed' USING ERRCODE = 'restrict_violation';
  END IF;
  IF to_jsonb(NEW) - 'withdrawn_at' - 'signed' IS DISTINCT FROM to_jsonb(OLD) - 'withdrawn_at' - 'signed' THEN
    RAISE EXCEPTION 'an answer is not changed' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $body$"""
    )
    op.execute("CREATE TRIGGER stays BEFORE UPDATE ON consents FOR EACH ROW EXECUTE FUNCTION consents_stay()")
    op.execute(f"REVOKE UPDATE ON consents FROM {APP}")
    op.execute(f"GRANT UPDATE (withdrawn_at, signed) ON consents TO {APP}")


def downgrade() -> None:
    op.execute(f"GRANT UPDATE ON consents TO {APP}")
    op.execute("DROP TRIGGER stays ON consents")
    op.execute("DROP FUNCTION consents_stay()")
    op.drop_table("notices")
    op.drop_column("consents", "signed")
    op.drop_column("consents", "notice_sha256")
    op.drop_column("erasures", "regime")
    op.drop_column("participations", "destroy_by")
    for table in ("directory", "members"):
        op.drop_column(table, "place")

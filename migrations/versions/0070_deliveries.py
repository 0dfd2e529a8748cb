"""What became of each mail about a shoot, and how it stands with the newest one to each person.

Of mails from before, it is known whether they were handed over, and not whether they came back.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0070"
down_revision = "0065"
branch_labels = None
depends_on = None

APP = "headshots_app"
LOOKUP = "headshots_lookup"
CURRENT = "(SELECT NULLIF(current_setting('app.org_id', true), '')::uuid)"
BACKFILL = (
    "UPDATE participations p SET mail_state = CASE WHEN n.sent THEN 'sent' ELSE 'queued' END FROM"
    " (SELECT DISTINCT ON (participation_id) participation_id, sent_at IS NOT NULL AS sent FROM invites"
    " WHERE sent_at IS NOT NULL OR revoked_at IS NULL ORDER BY participation_id, id DESC) n"
    " WHERE n.participation_id = p.id"
)


def upgrade() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("participation_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("bounced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.String(16), nullable=True),
        sa.Column("told_by", sa.String(16), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organizations.id"], name=op.f("fk_deliveries_org_id_organizations")
        ),
        sa.ForeignKeyConstraint(
            ["participation_id"],
            ["participations.id"],
            name=op.f("fk_deliveries_participation_id_participations"),
        ),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_deliveries_member_id_members")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    op.create_index("ix_deliveries_participation", "deliveries", ["participation_id"])
    op.execute("ALTER TABLE deliveries ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE deliveries FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON deliveries USING (org_id = {CURRENT}) WITH CHECK (org_id = {CURRENT})"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON deliveries TO {APP}")
    # A report names a mail and no company.
    op.execute(f"GRANT CREATE ON SCHEMA public TO {LOOKUP}")
    op.execute(f"GRANT SELECT (id, org_id) ON deliveries TO {LOOKUP}")
    op.execute(f"CREATE POLICY lookup ON deliveries TO {LOOKUP} USING (true)")
    op.execute(
        "CREATE FUNCTION find_delivery(wanted uuid) RETURNS uuid LANGUAGE sql STABLE"
        " SECURITY DEFINER SET search_path = public, pg_temp"
        " AS $body$ SELECT d.org_id FROM deliveries d WHERE d.id = wanted $body$"
    )
    op.execute("REVOKE ALL ON FUNCTION find_delivery FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION find_delivery TO {APP}")
    op.execute(f"ALTER FUNCTION find_delivery OWNER TO {LOOKUP}")
    op.execute(f"REVOKE CREATE ON SCHEMA public FROM {LOOKUP}")

    op.add_column("participations", sa.Column("mail_state", sa.String(8), nullable=True))
    for table in ("participations", "invites"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(BACKFILL)
    for table in ("participations", "invites"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.drop_column("participations", "mail_state")
    op.execute(f"SET LOCAL ROLE {LOOKUP}")
    op.execute("DROP FUNCTION find_delivery")
    op.execute("RESET ROLE")
    op.drop_table("deliveries")

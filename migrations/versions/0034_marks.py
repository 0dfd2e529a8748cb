"""A headshot that an image model made has a random number, which its files carry as a watermark and a public page answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

APP = "headshots_app"
LOOKUP = "headshots_lookup"


def upgrade() -> None:
    op.add_column("headshots", sa.Column("mark", sa.BigInteger(), nullable=True))
    # What leads to a person leaves no sample in the database's statistics; see 0030.
    op.execute("ALTER TABLE headshots ALTER COLUMN mark SET STATISTICS 0")
    op.create_index("ix_headshots_mark", "headshots", ["mark"], unique=True)
    op.execute(f"GRANT CREATE ON SCHEMA public TO {LOOKUP}")
    op.execute(f"GRANT SELECT (id, org_id, mark) ON headshots TO {LOOKUP}")
    op.execute(f"CREATE POLICY lookup ON headshots TO {LOOKUP} USING (true)")
    op.execute(
        "CREATE FUNCTION find_marked(wanted bigint) RETURNS TABLE (org_id uuid, id uuid) LANGUAGE sql STABLE"
        " SECURITY DEFINER SET search_path = public, pg_temp"
        " AS $body$ SELECT h.org_id, h.id FROM headshots h WHERE h.mark = wanted $body$"
    )
    op.execute("REVOKE ALL ON FUNCTION find_marked FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION find_marked TO {APP}")
    op.execute(f"ALTER FUNCTION find_marked OWNER TO {LOOKUP}")
    op.execute(f"REVOKE CREATE ON SCHEMA public FROM {LOOKUP}")


def downgrade() -> None:
    op.execute(f"SET LOCAL ROLE {LOOKUP}")
    op.execute("DROP FUNCTION find_marked")
    op.execute("RESET ROLE")
    op.execute("DROP POLICY lookup ON headshots")
    op.execute(f"REVOKE SELECT (id, org_id, mark) ON headshots FROM {LOOKUP}")
    op.drop_index("ix_headshots_mark", "headshots")
    op.drop_column("headshots", "mark")

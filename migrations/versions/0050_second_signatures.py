"""Which checkpoints have one signature, of the two that they are signed with from now on.

The release before goes on to write such with one while both run side by side, so what counts is what stands in the table.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0048"
branch_labels = None
depends_on = None

APP = "headshots_app"
LOOKUP = "headshots_lookup"
ONCE = "octet_length(note) < 2000"


def upgrade() -> None:
    op.create_index("ix_checkpoints_signed_once", "checkpoints", ["org_id", "size"], postgresql_where=sa.text(ONCE))
    op.execute(f"GRANT CREATE ON SCHEMA public TO {LOOKUP}")
    op.execute(f"GRANT SELECT (org_id, size, note) ON checkpoints TO {LOOKUP}")
    op.execute(f"CREATE POLICY lookup ON checkpoints TO {LOOKUP} USING (true)")
    op.execute(
        "CREATE FUNCTION newest_signed_once(wanted uuid[]) RETURNS TABLE (org_id uuid, size bigint) LANGUAGE sql STABLE"
        " SECURITY DEFINER SET search_path = public, pg_temp AS $body$"
        f" SELECT o, (SELECT max(c.size) FROM checkpoints c WHERE c.org_id = o AND {ONCE}) FROM unnest(wanted) o $body$"
    )
    op.execute("REVOKE ALL ON FUNCTION newest_signed_once FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION newest_signed_once TO {APP}")
    op.execute(f"ALTER FUNCTION newest_signed_once OWNER TO {LOOKUP}")
    op.execute(f"REVOKE CREATE ON SCHEMA public FROM {LOOKUP}")


def downgrade() -> None:
    op.execute(f"SET LOCAL ROLE {LOOKUP}")
    op.execute("DROP FUNCTION newest_signed_once")
    op.execute("RESET ROLE")
    op.execute("DROP POLICY lookup ON checkpoints")
    op.execute(f"REVOKE SELECT (org_id, size, note) ON checkpoints FROM {LOOKUP}")
    op.drop_index("ix_checkpoints_signed_once", "checkpoints")

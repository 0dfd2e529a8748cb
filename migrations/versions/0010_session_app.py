"""Which app a session opens: a token of one is nothing to the other."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

APP = "headshots_app"
LOOKUP = "headshots_lookup"

FIND = """
CREATE FUNCTION find_web_session(hash bytea, wanted text) RETURNS TABLE (org_id uuid, id uuid)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $body$
    SELECT s.org_id, s.id FROM web_sessions s
    WHERE s.token_sha256 = hash AND s.app = wanted AND s.ended_at IS NULL AND s.expires_at > now()
$body$
"""


def upgrade() -> None:
    # Nullable: the previous release adds rows without it, whose owners sign in again.
    op.add_column("web_sessions", sa.Column("app", sa.String(8), nullable=True))
    op.execute(f"GRANT SELECT (app) ON web_sessions TO {LOOKUP}")
    # Rows of every company: the wall holds for the owner, too, and none stands in front of an ALTER's lock.
    op.execute("ALTER TABLE web_sessions NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "UPDATE web_sessions SET app = CASE method WHEN 'saml' THEN 'admin' ELSE 'portal' END"
        " WHERE ended_at IS NULL AND expires_at > now()"
    )
    op.execute("ALTER TABLE web_sessions FORCE ROW LEVEL SECURITY")
    # The function of one argument stays for the previous release.
    op.execute(f"GRANT CREATE ON SCHEMA public TO {LOOKUP}")
    op.execute(FIND)
    op.execute("REVOKE ALL ON FUNCTION find_web_session(bytea, text) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION find_web_session(bytea, text) TO {APP}")
    op.execute(f"ALTER FUNCTION find_web_session(bytea, text) OWNER TO {LOOKUP}")
    op.execute(f"REVOKE CREATE ON SCHEMA public FROM {LOOKUP}")


def downgrade() -> None:
    op.execute(f"SET LOCAL ROLE {LOOKUP}")
    op.execute("DROP FUNCTION find_web_session(bytea, text)")
    op.execute("RESET ROLE")
    op.execute(f"REVOKE SELECT (app) ON web_sessions FROM {LOOKUP}")
    op.drop_column("web_sessions", "app")

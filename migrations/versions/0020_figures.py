"""What the figures of an installation are counted from, without saying of which company."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

APP = "headshots_app"
LOOKUP = "headshots_lookup"

RIGHTS = {
    "members": "SELECT (org_id)",
    "artifacts": "SELECT (delete_requested_at, destroyed_at)",
    "certificates": "SELECT (erasure_id, status)",
    "saml_connections": "SELECT (idp_certificates)",
}
MORE_RIGHTS = {
    "audit_events": "SELECT (created_at)",
    "erasures": "SELECT (created_at, objects_destroyed_at)",
}
FUNCTIONS = {
    # `people` stops counting at 1000, so that a large company costs no more than that.
    "queue_figures()": (
        "TABLE (job varchar, people integer, waiting bigint, since timestamptz, failing bigint, held bigint)",
        "WITH open AS MATERIALIZED ("
        " SELECT o.org_id, o.job, count(*) AS waiting,"
        "  min(least(o.first_failed_at, o.not_before)) AS since,"
        "  count(*) FILTER (WHERE o.first_failed_at IS NOT NULL) AS failing,"
        "  count(*) FILTER (WHERE o.first_failed_at IS NOT NULL AND o.outages > 0) AS held"
        " FROM outbox o WHERE o.done_at IS NULL AND o.failed_at IS NULL"
        " AND (o.first_failed_at IS NOT NULL OR o.not_before <= now()) GROUP BY o.org_id, o.job),"
        " sizes AS MATERIALIZED ("
        " SELECT w.org_id, (SELECT count(*) FROM"
        "  (SELECT 1 FROM members m WHERE m.org_id = w.org_id LIMIT 1000) counted)::integer AS people"
        " FROM (SELECT DISTINCT org_id FROM open) w)"
        " SELECT open.job, sizes.people, open.waiting, open.since, open.failing, open.held"
        " FROM open JOIN sizes USING (org_id)",
    ),
    "oldest_overdue_deletion()": (
        "timestamptz",
        "SELECT least("
        " (SELECT min(a.delete_requested_at) FROM artifacts a"
        "  WHERE a.delete_requested_at IS NOT NULL AND a.destroyed_at IS NULL),"
        " (SELECT min(e.created_at) FROM erasures e WHERE e.objects_destroyed_at IS NULL))",
    ),
    "oldest_uncertified_erasure()": (
        "timestamptz",
        "SELECT min(e.created_at) FROM erasures e WHERE NOT EXISTS"
        " (SELECT 1 FROM certificates c WHERE c.erasure_id = e.id AND c.status = 'COMPLETE')",
    ),
    "oldest_unsequenced_event()": (
        "timestamptz",
        "SELECT min(a.created_at) FROM audit_events a WHERE NOT a.sequenced",
    ),
    "idp_certificates()": (
        "SETOF text",
        "SELECT jsonb_array_elements_text(s.idp_certificates) FROM saml_connections s",
    ),
}


def upgrade() -> None:
    op.create_index(
        "ix_artifacts_leaving",
        "artifacts",
        ["delete_requested_at"],
        postgresql_where=sa.text("delete_requested_at IS NOT NULL AND destroyed_at IS NULL"),
    )
    op.create_index(
        "ix_erasures_unfinished",
        "erasures",
        ["created_at"],
        postgresql_where=sa.text("objects_destroyed_at IS NULL"),
    )
    op.execute(f"GRANT CREATE ON SCHEMA public TO {LOOKUP}")
    for table, rights in (RIGHTS | MORE_RIGHTS).items():
        op.execute(f"GRANT {rights} ON {table} TO {LOOKUP}")
    for table in RIGHTS:
        op.execute(f"CREATE POLICY lookup ON {table} TO {LOOKUP} USING (true)")
    for signature, (returns, body) in FUNCTIONS.items():
        name = signature.split("(")[0]
        op.execute(
            f"CREATE FUNCTION {signature} RETURNS {returns} LANGUAGE sql STABLE SECURITY DEFINER"
            f" SET search_path = public, pg_temp AS $body$ {body} $body$"
        )
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO {APP}")
        op.execute(f"ALTER FUNCTION {name} OWNER TO {LOOKUP}")
    op.execute(f"REVOKE CREATE ON SCHEMA public FROM {LOOKUP}")


def downgrade() -> None:
    # Dropping what another role owns needs that role; the owner may act as it.
    op.execute(f"SET LOCAL ROLE {LOOKUP}")
    for signature in FUNCTIONS:
        op.execute(f"DROP FUNCTION {signature.split('(')[0]}")
    op.execute("RESET ROLE")
    for table in RIGHTS:
        op.execute(f"DROP POLICY lookup ON {table}")
    for table, rights in (RIGHTS | MORE_RIGHTS).items():
        op.execute(f"REVOKE {rights} ON {table} FROM {LOOKUP}")
    op.drop_index("ix_erasures_unfinished", "erasures")
    op.drop_index("ix_artifacts_leaving", "artifacts")

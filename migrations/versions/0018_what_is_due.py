"""Which companies have something due, asked in one question: the others cost nothing."""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

APP = "headshots_app"
LOOKUP = "headshots_lookup"

RIGHTS = {
    "erasures": "org_id, epoch, epoch_destroyed_at",
    "shoots": "id, engine",
    "participations": "org_id, shoot_id, state, fallback_code, changed_at",
}
NEW_POLICIES = ("shoots", "participations")
FUNCTIONS = {
    "unsettled_erasures()": (
        "TABLE (org_id uuid, epoch integer)",
        "SELECT DISTINCT e.org_id, e.epoch FROM erasures e"
        " WHERE e.epoch IS NOT NULL AND e.epoch_destroyed_at IS NULL",
    ),
    "organizations_waiting_since(before timestamptz, engines varchar[], states varchar[])": (
        "SETOF uuid",
        "SELECT DISTINCT p.org_id FROM participations p JOIN shoots s ON s.id = p.shoot_id"
        " WHERE s.engine = ANY (engines) AND p.state = ANY (states)"
        " AND p.fallback_code IS NULL AND p.changed_at < before",
    ),
}


def upgrade() -> None:
    op.execute(
        "CREATE INDEX ix_erasures_unsettled ON erasures (org_id, epoch) WHERE epoch_destroyed_at IS NULL"
    )
    for table, columns in RIGHTS.items():
        op.execute(f"GRANT SELECT ({columns}) ON {table} TO {LOOKUP}")
    for table in NEW_POLICIES:
        op.execute(f"CREATE POLICY lookup ON {table} TO {LOOKUP} USING (true)")
    op.execute(f"GRANT CREATE ON SCHEMA public TO {LOOKUP}")
    for signature, (returns, body) in FUNCTIONS.items():
        name = signature.split("(")[0]
        op.execute(
            f"CREATE FUNCTION {signature} RETURNS {returns} LANGUAGE sql SECURITY DEFINER"
            f" SET search_path = public, pg_temp AS $body$ {body} $body$"
        )
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO {APP}")
        op.execute(f"ALTER FUNCTION {name} OWNER TO {LOOKUP}")
    op.execute(f"REVOKE CREATE ON SCHEMA public FROM {LOOKUP}")


def downgrade() -> None:
    op.execute(f"SET LOCAL ROLE {LOOKUP}")
    for signature in FUNCTIONS:
        op.execute(f"DROP FUNCTION {signature.split('(')[0]}")
    op.execute("RESET ROLE")
    for table in NEW_POLICIES:
        op.execute(f"DROP POLICY lookup ON {table}")
        op.execute(f"REVOKE SELECT ({RIGHTS[table]}) ON {table} FROM {LOOKUP}")
    # `org_id` was granted before, for the look-up of a receipt.
    op.execute(f"REVOKE SELECT (epoch, epoch_destroyed_at) ON erasures FROM {LOOKUP}")
    op.execute("DROP INDEX ix_erasures_unsettled")

"""Row-level security on every tenant table, the app's rights, and the look-ups before sign-in."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

APP = "headshots_app"
LOOKUP = "headshots_lookup"

TENANT_TABLES = (
    "artifacts",
    "audit_events",
    "certificates",
    "checkpoints",
    "consents",
    "erasures",
    "headshots",
    "invites",
    "log_leaves",
    "log_nodes",
    "members",
    "outbox",
    "participations",
    "photos",
    "saml_connections",
    "shoots",
    "styles",
    "web_sessions",
)
# Evidence is append-only even for the app itself; nothing of it is updated or deleted.
APPEND_ONLY = {"audit_events", "certificates", "checkpoints", "log_leaves", "log_nodes"}
# Ends of life are marked in a column, so that evidence keeps its references.
DELETABLE = {"web_sessions", "outbox"}

CURRENT = "NULLIF(current_setting('app.org_id', true), '')::uuid"

# The only questions without an organization. Each runs as a role that can read just these columns.
LOOKUP_RIGHTS = {
    "organizations": "SELECT (id, slug)",
    "invites": "SELECT (id, org_id, token_sha256)",
    "web_sessions": "SELECT (id, org_id, token_sha256, ended_at, expires_at)",
    "erasures": "SELECT (id, org_id, receipt_sha256)",
    "audit_events": "SELECT (org_id, sequenced)",
    "outbox": "SELECT, UPDATE (published_at)",
}
FUNCTIONS = {
    "find_organization(wanted text)": (
        "uuid",
        "sql",
        "SELECT id FROM organizations WHERE slug = wanted",
    ),
    "organization_ids()": ("SETOF uuid", "sql", "SELECT id FROM organizations ORDER BY id"),
    "find_invite(hash bytea)": (
        "TABLE (org_id uuid, id uuid)",
        "sql",
        "SELECT i.org_id, i.id FROM invites i WHERE i.token_sha256 = hash",
    ),
    "find_web_session(hash bytea)": (
        "TABLE (org_id uuid, id uuid)",
        "sql",
        "SELECT s.org_id, s.id FROM web_sessions s"
        " WHERE s.token_sha256 = hash AND s.ended_at IS NULL AND s.expires_at > now()",
    ),
    "find_erasure(hash bytea)": (
        "TABLE (org_id uuid, id uuid)",
        "sql",
        "SELECT e.org_id, e.id FROM erasures e WHERE e.receipt_sha256 = hash",
    ),
    "organizations_with_unsequenced_events()": (
        "SETOF uuid",
        "sql",
        "SELECT DISTINCT a.org_id FROM audit_events a WHERE NOT a.sequenced",
    ),
    "claim_outbox(most integer)": (
        "TABLE (id uuid, org_id uuid, job varchar)",
        "sql",
        "UPDATE outbox o SET published_at = now() WHERE o.id IN ("
        " SELECT c.id FROM outbox c WHERE c.done_at IS NULL AND c.failed_at IS NULL"
        " AND c.published_at IS NULL AND c.not_before <= now()"
        " ORDER BY c.id LIMIT most FOR UPDATE SKIP LOCKED)"
        " RETURNING o.id, o.org_id, o.job",
    ),
    "published_outbox(older_than interval, most integer)": (
        "TABLE (id uuid, org_id uuid, job varchar)",
        "sql",
        "SELECT o.id, o.org_id, o.job FROM outbox o WHERE o.done_at IS NULL AND o.failed_at IS NULL"
        " AND o.published_at < now() - older_than ORDER BY o.published_at LIMIT most",
    ),
    "find_outbox(wanted uuid)": (
        "TABLE (id uuid, org_id uuid, job varchar)",
        "sql",
        "SELECT o.id, o.org_id, o.job FROM outbox o"
        " WHERE o.id = wanted AND o.done_at IS NULL AND o.failed_at IS NULL",
    ),
}


def upgrade() -> None:
    op.execute(f"GRANT USAGE ON SCHEMA public TO {APP}, {LOOKUP}")
    op.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")

    op.execute("ALTER TABLE organizations ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE organizations FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON organizations USING (id = {CURRENT}) WITH CHECK (id = {CURRENT})")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON organizations TO {APP}")
    for table in TENANT_TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tenant ON {table} USING (org_id = {CURRENT}) WITH CHECK (org_id = {CURRENT})"
        )
        rights = "SELECT, INSERT" if table in APPEND_ONLY else "SELECT, INSERT, UPDATE"
        if table in DELETABLE:
            rights += ", DELETE"
        op.execute(f"GRANT {rights} ON {table} TO {APP}")
    op.execute(f"GRANT UPDATE (sequenced) ON audit_events TO {APP}")
    op.execute(f"GRANT SELECT ON alembic_version TO {APP}")

    op.execute(f"GRANT CREATE ON SCHEMA public TO {LOOKUP}")
    for table, rights in LOOKUP_RIGHTS.items():
        op.execute(f"GRANT {rights} ON {table} TO {LOOKUP}")
        op.execute(f"CREATE POLICY lookup ON {table} TO {LOOKUP} USING (true)")
    for signature, (returns, language, body) in FUNCTIONS.items():
        name = signature.split("(")[0]
        op.execute(
            f"CREATE FUNCTION {signature} RETURNS {returns} LANGUAGE {language} SECURITY DEFINER"
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
    for table in LOOKUP_RIGHTS:
        op.execute(f"DROP POLICY lookup ON {table}")
        op.execute(f"REVOKE ALL ON {table} FROM {LOOKUP}")
    for table in (*TENANT_TABLES, "organizations"):
        op.execute(f"DROP POLICY tenant ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
        op.execute(f"REVOKE ALL ON {table} FROM {APP}")
    op.execute(f"REVOKE ALL ON alembic_version FROM {APP}")

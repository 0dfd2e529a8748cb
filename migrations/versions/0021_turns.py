"""Owed work is taken when a worker is free, from company after company; what one died over is given back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

APP = "headshots_app"
LOOKUP = "headshots_lookup"

OPEN = "o.done_at IS NULL AND o.failed_at IS NULL AND o.published_at IS NULL AND o.not_before <= now()"
# Whatever the statistics say of a table that grows by thousands within a second: in the order of the index
# `ix_outbox_turn`, where a few rows tell, instead of reading and sorting all.
BY_INDEX = (
    "SET search_path = public, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off"
)
FUNCTIONS = {
    # The next company after the last one served that has due work of these kinds; of it the first kind's oldest row.
    "take_outbox(jobs varchar[], after uuid)": (
        "TABLE (id uuid, org_id uuid)",
        "plpgsql",
        f"""
#variable_conflict use_column
DECLARE
    company uuid := after;
    wanted varchar;
    around boolean := false;
BEGIN
    LOOP
        SELECT next.org_id INTO company FROM unnest(jobs) AS kind (job) CROSS JOIN LATERAL (
            SELECT o.org_id FROM outbox o WHERE o.job = kind.job AND o.org_id > company AND {OPEN}
            ORDER BY o.org_id LIMIT 1) AS next ORDER BY next.org_id LIMIT 1;
        IF company IS NULL THEN
            IF around THEN
                RETURN;
            END IF;
            around := true;
            company := '00000000-0000-0000-0000-000000000000';
            CONTINUE;
        END IF;
        FOREACH wanted IN ARRAY jobs LOOP
            RETURN QUERY UPDATE outbox t SET published_at = clock_timestamp() WHERE t.id = (
                SELECT o.id FROM outbox o WHERE o.job = wanted AND o.org_id = company AND {OPEN}
                ORDER BY o.not_before, o.id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING t.id, t.org_id;
            IF FOUND THEN
                RETURN;
            END IF;
        END LOOP;
    END LOOP;
END
""",
    ),
    "due_outbox(jobs varchar[], most integer)": (
        "bigint",
        "sql",
        "SELECT count(*) FROM unnest(jobs) AS kind (job) CROSS JOIN LATERAL"
        f" (SELECT 1 FROM outbox o WHERE o.job = kind.job AND {OPEN}"
        " ORDER BY o.job, o.org_id, o.not_before LIMIT most) AS due",
    ),
    "give_back_outbox(taken uuid[], older_than interval)": (
        "bigint",
        "sql",
        "WITH given AS (UPDATE outbox o SET published_at = NULL WHERE o.id = ANY (taken) AND o.done_at IS NULL"
        " AND o.failed_at IS NULL AND o.published_at < now() - older_than RETURNING 1)"
        " SELECT count(*) FROM given",
    ),
}


def upgrade() -> None:
    op.create_index(
        "ix_outbox_turn",
        "outbox",
        ["job", "org_id", "not_before", "id"],
        postgresql_where=sa.text("done_at IS NULL AND failed_at IS NULL AND published_at IS NULL"),
    )
    op.create_index(
        "ix_outbox_taken",
        "outbox",
        ["published_at"],
        postgresql_where=sa.text("done_at IS NULL AND failed_at IS NULL AND published_at IS NOT NULL"),
    )
    # `claim_outbox` and the index `ix_outbox_open` stay for the previous release.
    op.execute(f"GRANT CREATE ON SCHEMA public TO {LOOKUP}")
    for signature, (returns, language, body) in FUNCTIONS.items():
        name = signature.split("(")[0]
        op.execute(
            f"CREATE FUNCTION {signature} RETURNS {returns} LANGUAGE {language} SECURITY DEFINER {BY_INDEX}"
            f" AS $body$ {body} $body$"
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
    op.drop_index("ix_outbox_taken", table_name="outbox")
    op.drop_index("ix_outbox_turn", table_name="outbox")

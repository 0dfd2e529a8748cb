"""The database's own statistics keep no samples of what is said about people.

`ANALYZE` copies the most common and some other values of a column into `pg_statistic`, where erasing does not reach them;
they stay until the next one. A column with the statistics target 0 has none (PostgreSQL manual, ALTER TABLE). What is
there goes when a column is given the type that it has, which rewrites nothing.
"""

from __future__ import annotations

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_SAID = {
    "members": {
        "email": "VARCHAR(254)",
        "first_name": "VARCHAR(80)",
        "last_name": "VARCHAR(80)",
        "employee_id": "VARCHAR(64)",
        "department": "VARCHAR(120)",
        "language": "VARCHAR(8)",
        "idp_entity_id": "VARCHAR(512)",
        "name_id": "VARCHAR(512)",
    },
    "participations": {"alternative": "VARCHAR(16)", "failure_code": "VARCHAR(64)"},
    "adapters": {"curve": "JSONB"},
    "arrivals": {"upload_key": "VARCHAR(64)"},
    "photos": {
        "upload_key": "VARCHAR(64)",
        "verdict": "JSONB",
        "subject_x": "DOUBLE PRECISION",
        "subject_y": "DOUBLE PRECISION",
        "confirmed_at": "TIMESTAMP WITH TIME ZONE",
    },
    "web_sessions": {
        "saml_session_index": "VARCHAR(256)",
        "device_sha256": "BYTEA",
        "system": "VARCHAR(16)",
    },
    "headshots": {"gates": "JSONB"},
}
# An index on an expression has samples of its own.
_INDEXES = """
DO $$
DECLARE one record;
BEGIN
  FOR one IN
    SELECT i.indexrelid::regclass AS name, a.attnum AS place
    FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indexrelid
    WHERE i.indrelid = '{table}'::regclass AND i.indkey[a.attnum - 1] = 0
  LOOP
    EXECUTE format('ALTER INDEX %s ALTER COLUMN %s SET STATISTICS {target}', one.name, one.place);
  END LOOP;
END $$
"""


def upgrade() -> None:
    for table, columns in _SAID.items():
        anew = (
            f"ALTER COLUMN {name} TYPE {kind}, ALTER COLUMN {name} SET STATISTICS 0"
            for name, kind in columns.items()
        )
        op.execute(f"ALTER TABLE {table} {', '.join(anew)}")
        op.execute(_INDEXES.format(table=table, target=0))


def downgrade() -> None:
    for table, columns in _SAID.items():
        op.execute(
            f"ALTER TABLE {table} {', '.join(f'ALTER COLUMN {name} SET STATISTICS -1' for name in columns)}"
        )
        op.execute(_INDEXES.format(table=table, target=-1))

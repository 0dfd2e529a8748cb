"""Who people are lies sealed with them, and in plain text in one table that no backup carries.

The release before writes what it knows of, the columns of `members`; a trigger brings that into the directory. This
release writes both by itself and says so in its transactions (`app.names`).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

APP = "headshots_app"
CURRENT = "(SELECT NULLIF(current_setting('app.org_id', true), '')::uuid)"
NAMES = {
    "email": 254,
    "first_name": 80,
    "last_name": 80,
    "employee_id": 64,
    "department": 120,
    "idp_entity_id": 512,
    "name_id": 512,
}
# An index on an expression has samples of its own; see 0030.
_INDEXES = """
DO $$
DECLARE one record;
BEGIN
  FOR one IN
    SELECT i.indexrelid::regclass AS name, a.attnum AS place
    FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indexrelid
    WHERE i.indrelid = 'directory'::regclass AND i.indkey[a.attnum - 1] = 0
  LOOP
    EXECUTE format('ALTER INDEX %s ALTER COLUMN %s SET STATISTICS 0', one.name, one.place);
  END LOOP;
END $$
"""


def upgrade() -> None:
    op.add_column("members", sa.Column("sealed", sa.LargeBinary(), nullable=True))
    op.execute("ALTER TABLE members ALTER COLUMN sealed SET STATISTICS 0")
    op.create_table(
        "directory",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.String(length), nullable=True) for name, length in NAMES.items()),
        sa.ForeignKeyConstraint(["id"], ["members.id"], name="fk_directory_id"),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name="fk_directory_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_directory"),
        sa.UniqueConstraint("org_id", "idp_entity_id", "name_id", name="uq_directory_identity"),
        prefixes=["UNLOGGED"],
    )
    op.create_index("uq_directory_email", "directory", ["org_id", sa.text("lower(email)")], unique=True)
    op.create_index("uq_directory_employee_id", "directory", ["org_id", "employee_id"], unique=True)
    op.create_index(
        "ix_directory_in_order",
        "directory",
        [
            "org_id",
            sa.text("(last_name IS NULL)"),
            sa.text("lower(coalesce(last_name, ''))"),
            sa.text("lower(coalesce(first_name, ''))"),
            "id",
        ],
    )
    op.execute(
        f"ALTER TABLE directory {', '.join(f'ALTER COLUMN {name} SET STATISTICS 0' for name in NAMES)}"
    )
    op.execute(_INDEXES)
    op.create_table(
        "directory_state",
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("whole", name="pk_directory_state"),
        prefixes=["UNLOGGED"],
    )
    columns = ", ".join(NAMES)
    op.execute("ALTER TABLE members NO FORCE ROW LEVEL SECURITY")
    op.execute(f"INSERT INTO directory (id, org_id, {columns}) SELECT id, org_id, {columns} FROM members")
    op.execute("ALTER TABLE members FORCE ROW LEVEL SECURITY")
    op.execute("INSERT INTO directory_state VALUES (true)")
    op.execute("ALTER TABLE directory ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE directory FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON directory USING (org_id = {CURRENT}) WITH CHECK (org_id = {CURRENT})")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON directory TO {APP}")
    op.execute(f"GRANT SELECT, INSERT ON directory_state TO {APP}")
    # The app's role may not ANALYZE. Until the server has counted a table that was just filled it takes it for nearly
    # empty, and looks each person up among all.
    op.execute(
        "CREATE FUNCTION count_people() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp"
        " AS $body$ BEGIN ANALYZE members; ANALYZE directory; END $body$"
    )
    op.execute("REVOKE ALL ON FUNCTION count_people FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION count_people TO {APP}")
    op.execute(
        f"""
CREATE FUNCTION names_of_the_release_before() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $body$
BEGIN
  IF coalesce(current_setting('app.names', true), '') <> 'written' THEN
    INSERT INTO directory (id, org_id, {columns})
      VALUES (NEW.id, NEW.org_id, {', '.join(f'NEW.{name}' for name in NAMES)})
      ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = EXCLUDED.{name}' for name in NAMES)};
  END IF;
  RETURN NULL;
END $body$"""
    )
    op.execute(
        f"CREATE TRIGGER names AFTER INSERT OR UPDATE OF {columns} ON members"
        " FOR EACH ROW EXECUTE FUNCTION names_of_the_release_before()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER names ON members")
    op.execute("DROP FUNCTION names_of_the_release_before()")
    op.execute("DROP FUNCTION count_people()")
    op.drop_table("directory_state")
    op.drop_table("directory")
    op.drop_column("members", "sealed")

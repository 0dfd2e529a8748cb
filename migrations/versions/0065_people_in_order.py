"""Things done to many people at once, how a company's lists are read, and people in the order and letters of their language."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0065"
down_revision = "0061"
branch_labels = None
depends_on = None

# A text in small letters without accents, whatever the server's locale.
UPPER = "øØłŁđĐıABCDEFGHIJKLMNOPQRSTUVWXYZ" + "".join(
    chr(one) for first, last in ((0x391, 0x3A9), (0x410, 0x42F), (0x400, 0x40F)) for one in range(first, last + 1)
)
LOWER = "oollddiabcdefghijklmnopqrstuvwxyz" + "".join(
    chr(one) for first, last in ((0x3B1, 0x3C9), (0x430, 0x44F), (0x450, 0x45F)) for one in range(first, last + 1)
)
TWO = (("ß", "ss"), ("ẞ", "ss"), ("æ", "ae"), ("Æ", "ae"), ("œ", "oe"), ("Œ", "oe"), ("þ", "th"), ("Þ", "th"))


def bare(expression: str) -> str:
    for letter, letters in TWO:
        expression = f"replace({expression}, '{letter}', '{letters}')"
    apart = f"regexp_replace(normalize({expression}, NFD), '[\u0300-\u036f]', '', 'g')"
    return f"translate({apart}, '{UPPER}', '{LOWER}')"


SORTED_AS = (
    "CASE WHEN last_name IS NULL AND first_name IS NULL THEN '\uffff' ELSE "
    + bare("coalesce(last_name, '') || chr(1) || coalesce(first_name, '')")
    + " END"
)
FOUND_BY = bare(
    "btrim(coalesce(first_name, '') || ' ' || coalesce(last_name, '') || ' ' || coalesce(email, '') || ' '"
    " || coalesce(employee_id, ''))"
)
APP = "headshots_app"
CURRENT = "(SELECT NULLIF(current_setting('app.org_id', true), '')::uuid)"


def upgrade() -> None:
    op.create_table(
        "bulk_actions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("choice", postgresql.JSONB(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.String(64), nullable=True),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name="fk_bulk_actions_org_id"),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_bulk_actions_member_id"),
        sa.PrimaryKeyConstraint("id", name="pk_bulk_actions"),
    )
    op.create_table(
        "bulk_items",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("participation_id", sa.Uuid(), nullable=True),
        sa.Column("outcome", sa.String(32), nullable=True),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name="fk_bulk_items_org_id"),
        sa.ForeignKeyConstraint(["action_id"], ["bulk_actions.id"], name="fk_bulk_items_action_id"),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_bulk_items_member_id"),
        sa.ForeignKeyConstraint(
            ["participation_id"], ["participations.id"], name="fk_bulk_items_participation_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_bulk_items"),
    )
    op.create_index("ix_bulk_items_action", "bulk_items", ["action_id", "outcome", "id"])
    op.create_index("ix_bulk_items_member", "bulk_items", ["member_id"])
    for table in ("bulk_actions", "bulk_items"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING (org_id = {CURRENT}) WITH CHECK (org_id = {CURRENT})")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APP}")
    op.add_column(
        "organizations",
        sa.Column("list_columns", postgresql.JSONB(), nullable=False, server_default=sa.text("'{}'::jsonb")),
    )
    # The directory is UNLOGGED and small: it is written anew with these in a second or two.
    op.add_column("directory", sa.Column("sorted_as", sa.Text(collation="C"), sa.Computed(SORTED_AS, persisted=True)))
    op.add_column("directory", sa.Column("found_by", sa.Text(collation="C"), sa.Computed(FOUND_BY, persisted=True)))
    for column in ("sorted_as", "found_by"):
        op.execute(f"ALTER TABLE directory ALTER COLUMN {column} SET STATISTICS 0")
    op.create_index("ix_directory_sorted", "directory", ["org_id", "sorted_as", "id"])
    op.create_index("ix_directory_department", "directory", ["org_id", "department"])


def downgrade() -> None:
    op.drop_index("ix_directory_department", table_name="directory")
    op.drop_index("ix_directory_sorted", table_name="directory")
    op.drop_column("directory", "found_by")
    op.drop_column("directory", "sorted_as")
    op.drop_column("organizations", "list_columns")
    op.drop_table("bulk_items")
    op.drop_table("bulk_actions")

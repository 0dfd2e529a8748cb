"""Links of a shoot that are open to everybody with an address of the company."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0080"
down_revision = "0079"
branch_labels = None
depends_on = None

APP = "headshots_app"
LOOKUP = "headshots_lookup"
CURRENT = "(SELECT NULLIF(current_setting('app.org_id', true), '')::uuid)"


def upgrade() -> None:
    op.create_table(
        "open_links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("shoot_id", sa.Uuid(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(16), nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("domains", postgresql.ARRAY(sa.String(255)), nullable=False),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.Column("joined", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organizations.id"], name=op.f("fk_open_links_org_id_organizations")
        ),
        sa.ForeignKeyConstraint(["shoot_id"], ["shoots.id"], name=op.f("fk_open_links_shoot_id_shoots")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_open_links")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_open_links_token_sha256")),
    )
    op.create_index(
        "uq_open_links_shoot",
        "open_links",
        ["shoot_id"],
        unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.execute("ALTER TABLE open_links ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE open_links FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON open_links USING (org_id = {CURRENT}) WITH CHECK (org_id = {CURRENT})"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON open_links TO {APP}")
    # Whoever opens one has said no company.
    op.execute(f"GRANT CREATE ON SCHEMA public TO {LOOKUP}")
    op.execute(f"GRANT SELECT (id, org_id, token_sha256) ON open_links TO {LOOKUP}")
    op.execute(f"CREATE POLICY lookup ON open_links TO {LOOKUP} USING (true)")
    op.execute(
        "CREATE FUNCTION find_open_link(hash bytea) RETURNS TABLE (org_id uuid, id uuid) LANGUAGE sql STABLE"
        " SECURITY DEFINER SET search_path = public, pg_temp"
        " AS $body$ SELECT l.org_id, l.id FROM open_links l WHERE l.token_sha256 = hash $body$"
    )
    op.execute("REVOKE ALL ON FUNCTION find_open_link FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION find_open_link TO {APP}")
    op.execute(f"ALTER FUNCTION find_open_link OWNER TO {LOOKUP}")
    op.execute(f"REVOKE CREATE ON SCHEMA public FROM {LOOKUP}")


def downgrade() -> None:
    op.execute(f"SET LOCAL ROLE {LOOKUP}")
    op.execute("DROP FUNCTION find_open_link")
    op.execute("RESET ROLE")
    op.drop_table("open_links")

"""Names of processors lie with a request's sealed words from now on; those in open text go."""

from __future__ import annotations

from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Rows of every company: the wall holds for the owner, too.
    op.execute("ALTER TABLE subject_requests NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "UPDATE subject_requests SET processors ="
        " (SELECT jsonb_agg(one - 'name') FROM jsonb_array_elements(processors) AS one)"
        " WHERE processors <> '[]'::jsonb"
    )
    op.execute("ALTER TABLE subject_requests FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    """Nothing to do: a name that was taken out does not come back."""

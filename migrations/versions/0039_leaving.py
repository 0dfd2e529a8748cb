"""A company that leaves trusts no identity provider any more."""

from __future__ import annotations

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

APP = "headshots_app"


def upgrade() -> None:
    op.execute(f"GRANT DELETE ON saml_connections TO {APP}")


def downgrade() -> None:
    op.execute(f"REVOKE DELETE ON saml_connections FROM {APP}")

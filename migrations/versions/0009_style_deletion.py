"""A style that no shoot uses can be deleted; the references of shoots and headshots hold every other one."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

APP = "headshots_app"


def upgrade() -> None:
    op.execute(f"GRANT DELETE ON styles TO {APP}")


def downgrade() -> None:
    op.execute(f"REVOKE DELETE ON styles FROM {APP}")

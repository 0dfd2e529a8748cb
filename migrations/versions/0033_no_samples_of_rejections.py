"""The database's statistics keep no samples of what people said of their headshots, as of nothing else about them (see 0030)."""

from __future__ import annotations

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

# Given the type that it has, a column loses the samples that are there, and nothing is rewritten.
_SAID = {"rejected_code": "VARCHAR(16)", "rejected_at": "TIMESTAMP WITH TIME ZONE"}


def upgrade() -> None:
    for name, kind in _SAID.items():
        op.execute(
            f"ALTER TABLE headshots ALTER COLUMN {name} TYPE {kind}, ALTER COLUMN {name} SET STATISTICS 0"
        )


def downgrade() -> None:
    for name in _SAID:
        op.execute(f"ALTER TABLE headshots ALTER COLUMN {name} SET STATISTICS -1")

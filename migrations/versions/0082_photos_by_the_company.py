"""Whether somebody lets their company put photos in for them, and who put each photo in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0082"
down_revision = "0081"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("photos_by_company_at", "sent_by_company_at"):
        op.add_column("participations", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
        op.execute(f"ALTER TABLE participations ALTER COLUMN {name} SET STATISTICS 0")
    op.add_column("photos", sa.Column("put_in_by", sa.Uuid(), nullable=True))


def downgrade() -> None:
    op.drop_column("photos", "put_in_by")
    for name in ("sent_by_company_at", "photos_by_company_at"):
        op.drop_column("participations", name)

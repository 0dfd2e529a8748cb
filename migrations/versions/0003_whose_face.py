"""Which of several faces on a photo is the person's, and the face's embedding."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Nullable and without a default: no row is rewritten, and the previous release does not notice.
    op.add_column("photos", sa.Column("subject_x", sa.Double(), nullable=True))
    op.add_column("photos", sa.Column("subject_y", sa.Double(), nullable=True))
    op.add_column("photos", sa.Column("likeness_id", sa.Uuid(), nullable=True))
    op.create_foreign_key("fk_photos_likeness_id", "photos", "artifacts", ["likeness_id"], ["id"])


def downgrade() -> None:
    op.drop_constraint("fk_photos_likeness_id", "photos", type_="foreignkey")
    op.drop_column("photos", "likeness_id")
    op.drop_column("photos", "subject_y")
    op.drop_column("photos", "subject_x")

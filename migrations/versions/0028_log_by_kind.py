"""Events by their kind and by the person whom they are about, each in the order of their time."""

from __future__ import annotations

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_audit_events_kind", "audit_events", ["org_id", "tag", "id"])
    op.create_index("ix_audit_events_subject", "audit_events", ["org_id", "subject_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_audit_events_subject", table_name="audit_events")
    op.drop_index("ix_audit_events_kind", table_name="audit_events")

"""Work that waits for an outage, and work that killed its worker; deletions and mails that were parked go on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# What the release before gave up after six tries, whatever was at fault. A mail that its person needs no more is
# not sent: its job looks first. One that the server refused for good stays ended.
_TAKEN_UP = (
    "UPDATE outbox SET failed_at = NULL, published_at = NULL, not_before = now(), attempts = 0, error_code = NULL"
    " WHERE failed_at IS NOT NULL AND (job IN ('erase', 'certify')"
    " OR (job IN ('invite_mail', 'ready_mail') AND error_code IN ('mail_failed', 'unavailable', 'worker_died')))"
)


def upgrade() -> None:
    for name in ("deaths", "outages"):
        op.add_column("outbox", sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False))
    for name in ("started_at", "first_failed_at"):
        op.add_column("outbox", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    for table in ("outbox", "erasures"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(_TAKEN_UP)
    op.execute(
        "UPDATE erasures e SET failure = NULL WHERE failure IS NOT NULL AND EXISTS"
        " (SELECT 1 FROM outbox o WHERE o.subject_id = e.id AND o.done_at IS NULL AND o.failed_at IS NULL)"
    )
    for table in ("outbox", "erasures"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    for name in ("deaths", "outages", "started_at", "first_failed_at"):
        op.drop_column("outbox", name)

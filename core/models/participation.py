"""`participations`: one member in one shoot, and how far they are."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.models.sealed import SealedRow, SealedValue
from core.personal import Category, Harmless, harmless, personal


class State(StrEnum):
    """Where a participation stands; `core.shoots.participations` owns the moves between them."""

    INVITED = "invited"
    OPENED = "opened"
    CONSENTED = "consented"
    UPLOADING = "uploading"
    SUBMITTED = "submitted"
    RENDERING = "rendering"
    READY = "ready"
    APPROVED = "approved"
    DELIVERED = "delivered"
    DECLINED = "declined"
    FAILED = "failed"
    EXPIRED = "expired"
    ERASED = "erased"


class Alternative(StrEnum):
    """What stands in for a studio headshot when someone declines; equal to it."""

    INITIALS = "initials"
    OWN_PICTURE = "own_picture"


class Participation(SealedRow):
    """One member in one shoot.

    `chosen_headshot_id` is the approved headshot; it stays that while its person tries other photos.
    """

    __tablename__ = "participations"
    __table_args__ = (
        UniqueConstraint("shoot_id", "member_id"),
        Index("ix_participations_shoot_state", "shoot_id", "state"),
        Index("ix_participations_member", "member_id"),
    )

    shoot_id: Mapped[UUID] = mapped_column(ForeignKey("shoots.id"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    state: Mapped[str] = mapped_column(String(16), default=State.INVITED, info=harmless(Harmless.CODE))
    changed_at: Mapped[datetime]
    chosen_headshot_id: Mapped[UUID | None]
    alternative: Mapped[str | None] = mapped_column(String(16), info=personal(Category.CHOICE))
    failure_code = SealedValue[str | None](lambda: None, plain="plain_failure_code")
    # From before it was sealed: `core.models.sealed`.
    plain_failure_code: Mapped[str | None] = mapped_column(
        "failure_code", String(64), info=personal(Category.FACE)
    )
    # why the studio took over
    fallback_code: Mapped[str | None] = mapped_column(String(64), info=harmless(Harmless.CODE))
    checkpoint_id: Mapped[UUID | None] = mapped_column(ForeignKey("artifacts.id"))  # while it trains
    gpu_seconds: Mapped[float] = mapped_column(
        default=0.0, server_default=text("0"), info=harmless(Harmless.WORK)
    )
    # only when all of it was measured
    gpu_watt_hours: Mapped[float | None] = mapped_column(info=harmless(Harmless.WORK))
    approved_at: Mapped[datetime | None]
    # The person lets their company put photos in for them, and send them to the studio too; `core.portraits.on_behalf`.
    photos_by_company_at: Mapped[datetime | None] = mapped_column(info=personal(Category.CHOICE))
    sent_by_company_at: Mapped[datetime | None] = mapped_column(info=personal(Category.CHOICE))
    # the shortest time after which the consent pages promised to end selfies, days; none before the first
    promised_days: Mapped[int | None] = mapped_column(info=harmless(Harmless.WORK))
    # the same of headshots, days after the shoot has ended
    # The day on which whatever was measured on a face is destroyed, come what may; where a release named one.
    destroy_by: Mapped[datetime | None]
    promised_headshot_days: Mapped[int | None] = mapped_column(info=harmless(Harmless.WORK))
    archived_at: Mapped[
        datetime | None
    ]  # when the newest archive began that reached its end with their picture
    # The newest mail about the shoot; none before the first. `core.shoots.deliveries` writes it.
    mail_state: Mapped[str | None] = mapped_column(String(8), info=harmless(Harmless.WORK))
    reminders_ended_at: Mapped[datetime | None]  # the person wants no more reminders of this shoot

    @property
    def seen_by_company(self) -> State:
        """How far the person is for the company, whose headshot does not change while they try other photos."""
        state = State(self.state)
        if self.chosen_headshot_id is None or state is State.DELIVERED:
            return state
        return State.APPROVED

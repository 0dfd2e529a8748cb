"""What a person's report costs: somebody with twenty photos, each checked, measured and with numbers of its face."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from deploy.bench import Report

PHOTOS = 20
TIMES = 3


def bench_access(report: Report, org_id: UUID) -> None:
    """Make somebody with much to tell, and their report as their page does."""
    import psutil

    from compliance.reports import making, page
    from compliance.requests import export
    from core.db import transaction
    from core.models import Member

    member_id = _somebody(org_id)
    walls, cores, size, before = [], [], 0, psutil.Process().memory_info().rss
    for _ in range(TIMES + 1):
        wall, core = time.perf_counter(), time.thread_time()
        with transaction(org_id) as session:
            plan = export.plan(session, session.get_one(Member, member_id), "de")
        size = len(page.pdf(making.finished(plan.report, (), plan.regime)))
        walls.append(time.perf_counter() - wall)
        cores.append(time.thread_time() - core)
    held = psutil.Process().memory_info().rss / 2**20
    grown = held - before / 2**20
    wall, core = sorted(walls[1:])[TIMES // 2], sorted(cores[1:])[TIMES // 2]
    report(
        {"figure": "access_report", "photos": PHOTOS, "seconds": round(wall, 2), "core_seconds": round(core, 2),
         "first_core_seconds": round(cores[0], 2), "resident_mib": round(held), "grown_mib": round(grown)},
        f"report of a person with {PHOTOS} photos ({size / 1000:.0f} kB): {wall:.2f} s, {core:.2f} s of one core ({cores[0]:.2f} s the "
        f"first), {held:.0f} MiB resident, {grown:.0f} MiB more than before",
    )  # fmt: skip


def _somebody(org_id: UUID) -> UUID:
    from datetime import timedelta

    from core import audit
    from core.checks.verdict import Measures
    from core.clock import now
    from core.db import transaction
    from core.ids import new_id
    from core.models import Kind, Participation, Photo, Shoot, State, Style
    from core.people import members
    from core.style.spec import StyleSpec
    from core.vault import vault

    measures = {
        name: False if name in ("glasses_seen", "eye_behind_hand") else 0.5 for name in Measures.model_fields
    }
    verdict = {"accepted": True, "score": 0.9, "phash": "0" * 16, "measures": measures,
               "issues": [{"code": "dark"}, {"code": "blurred"}],
               "faces": [{"left": 0.1, "top": 0.1, "width": 0.3, "height": 0.3}]}  # fmt: skip
    person = members.NewMember("twenty@northwind.example", "Twenty", "Photos")
    with transaction(org_id) as session:
        (member,) = members.add(session, [person], actor=audit.SYSTEM, tag=audit.Tag.MEMBER_IMPORTED)
    sealed = [
        [
            vault().seal(org_id, b"x" * 1000, kind=kind, media_type=media_type, member_id=member.id)
            for kind, media_type in ((Kind.PHOTO, "image/jpeg"), (Kind.LIKENESS, "application/json"))
        ]
        for _ in range(PHOTOS)
    ]
    with transaction(org_id) as session:
        style = Style(
            id=new_id(), org_id=org_id, name="Twenty photos", spec=StyleSpec().model_dump(mode="json")
        )
        session.add(style)
        session.flush()
        shoot = Shoot(
            id=new_id(), org_id=org_id, name="Bench", style_id=style.id, deadline=now() + timedelta(days=9)
        )
        session.add(shoot)
        session.flush()
        part = Participation(
            id=new_id(), org_id=org_id, shoot_id=shoot.id, member_id=member.id, state=State.SUBMITTED, changed_at=now()
        )  # fmt: skip
        session.add(part)
        session.flush()
        for number, (photo, likeness) in enumerate(sealed):
            kept = [vault().keep(session, one).id for one in (photo, likeness)]
            session.add(
                Photo(
                    id=new_id(), org_id=org_id, participation_id=part.id, member_id=member.id, artifact_id=kept[0],
                    likeness_id=kept[1], upload_key=f"photo-{number}", verdict=verdict, checked_at=now(),
                )
            )  # fmt: skip
            audit.record(session, audit.Tag.PHOTO_CHECKED, actor=audit.SYSTEM, subject=member, accepted=True)
        return member.id

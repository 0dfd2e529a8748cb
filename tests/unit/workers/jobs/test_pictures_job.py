"""Pictures for a brand, or in place of a headshot: sealed as they came, judged by a worker, and then gone."""

from __future__ import annotations

import io
from datetime import timedelta
from uuid import UUID

import pytest
from conftest import add_participation
from painted import coarse
from PIL import Image
from sealing import got
from sqlalchemy import select
from work import do_all_work, judge_pictures

from compliance import retention
from core import audit, uploads
from core.brand import styles
from core.clock import now
from core.db import transaction
from core.errors import NotFound
from core.models import Artifact, Kind, Member, Organization, Outbox, State, Upload, Use
from core.portraits import avatars
from core.style.spec import StyleSpec
from core.vault import vault
from workers.process.runner import LAST_DEATH, perform


def send(
    member: Member, use: Use, *files: bytes, subject_id: UUID | None = None, media_type: str = "image/png"
) -> UUID:
    named = [(content, media_type) for content in files]
    sealed = uploads.seal(member.org_id, use, named, sender_id=member.id)
    with transaction(member.org_id) as session:
        sender = session.get_one(Member, member.id)
        return uploads.receive(session, use, sealed, sender=sender, subject_id=subject_id).id


def originals(org: UUID) -> list[Artifact]:
    with transaction(org) as session:
        live = Artifact.delete_requested_at.is_(None)
        return list(session.scalars(select(Artifact).where(Artifact.kind == Kind.UPLOAD, live)))


def standing(org: UUID, upload_id: UUID) -> uploads.Standing:
    with transaction(org) as session:
        return uploads.standing(uploads.get(session, upload_id))


def test_until_it_is_judged_only_its_sealed_bytes_are_held(org: UUID, member: Member) -> None:
    participation = add_participation(org, member, State.DECLINED)
    content = coarse(1, (300, 200), "PNG")
    own = send(member, Use.OWN_PICTURE, content, subject_id=participation.id)
    logo = send(member, Use.LOGO, content)
    (mine,) = [one for one in originals(org) if one.member_id == member.id]
    (ours,) = [one for one in originals(org) if one.member_id is None]
    for one in (mine, ours):
        assert content[:64] not in vault().store.get(one.object_name)
    judge_pictures(org)
    assert originals(org) == []
    assert (standing(org, own), standing(org, logo)) == (uploads.Standing.KEPT, uploads.Standing.KEPT)
    with transaction(org) as session:
        kept = avatars.own_picture(session, member.id)
        assert kept is not None
        assert kept.member_id == member.id
        assert got(session, kept.id)[:3] == b"\xff\xd8\xff"


@pytest.mark.parametrize("use", Use)
def test_a_file_on_which_the_check_fails_is_answered_and_what_was_there_stays(
    org: UUID, member: Member, use: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_given: object, **_named: object) -> bytes:
        return [][0]

    monkeypatch.setattr("core.brand.pictures.read", failing)
    monkeypatch.setattr("workers.jobs.pictures.decode", failing)
    monkeypatch.setattr("core.owed.PAUSES_SECONDS", (0,))
    with transaction(org) as session:
        style = styles.save(session, StyleSpec(name="Warm"), actor=audit.SYSTEM)
    participation = add_participation(org, member, State.DECLINED)
    subject = {Use.OWN_PICTURE: participation.id, Use.LOOK: style.id}.get(use)
    sent = send(member, use, *(coarse(one, (700, 600)) for one in range(5)), subject_id=subject)
    do_all_work()
    with transaction(org) as session:
        upload = uploads.get(session, sent)
        assert uploads.standing(upload) is uploads.Standing.REFUSED
        assert "that was not its fault" in uploads.refused(upload).message
        assert session.get_one(Organization, org).logo_id is None
    assert originals(org) == []
    with pytest.raises(uploads.PictureRefused):
        uploads.wait(org, use, sent)


def test_a_file_that_kills_its_worker_is_answered(org: UUID, member: Member) -> None:
    sent = send(member, Use.LOGO, coarse(1, (300, 200), "PNG"))
    with transaction(org) as session:
        row = session.scalars(select(Outbox).where(Outbox.job == "pictures")).one()
        row.deaths, row.started_at = LAST_DEATH - 1, now()
    perform(str(row.id))
    assert standing(org, sent) is uploads.Standing.REFUSED


def test_another_logo_takes_the_place_of_one_that_is_being_checked(org: UUID, member: Member) -> None:
    first = send(member, Use.LOGO, coarse(1, (300, 200), "PNG"))
    second = send(member, Use.LOGO, coarse(2, (400, 200), "PNG"))
    with transaction(org) as session, pytest.raises(NotFound):
        uploads.get(session, first)
    judge_pictures(org)
    assert originals(org) == []
    with transaction(org) as session:
        logo_id = session.get_one(Organization, org).logo_id
        assert uploads.get(session, second).result_id == logo_id
        assert logo_id is not None
        assert Image.open(io.BytesIO(got(session, logo_id))).size == (400, 200)


def test_a_page_that_cannot_wait_longer_says_that_nothing_is_lost(org: UUID, member: Member) -> None:
    sent = send(member, Use.BACKDROP, coarse(1, (300, 200), "PNG"))
    with pytest.raises(uploads.StillChecking, match="It is safe"):
        uploads.wait(org, Use.BACKDROP, sent, seconds=0)
    with pytest.raises(NotFound):
        uploads.wait(org, Use.LOGO, sent, seconds=0)
    judge_pictures(org)
    assert uploads.wait(org, Use.BACKDROP, sent, seconds=0)


def test_what_nobody_judged_goes_after_a_day(org: UUID, member: Member) -> None:
    send(member, Use.LOGO, coarse(1, (300, 200), "PNG"))
    for age, held in ((timedelta(hours=20), 1), (timedelta(hours=25), 0)):
        with transaction(org) as session:
            session.scalars(select(Upload)).one().created_at = now() - age
        with transaction(org) as session:
            retention.sweep(session)
        assert len(originals(org)) == held

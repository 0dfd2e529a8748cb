"""Checking uploads: asked about, compared with each other, and never measured further than consent goes."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from conftest import add_member, add_participation, forget_process_state
from networks import pool_network
from PIL import Image
from portraits import photo_path
from sealing import got, sealed
from sqlalchemy import select
from work import do_all_work

from compliance import consent as consents
from core import audit
from core.clock import now
from core.consent import Purpose, ValidConsent
from core.db import transaction
from core.models import Artifact, Headshot, Kind, Member, Outbox, Participation, Photo, State
from core.portraits import photos, submission, verdicts
from core.portraits.verdicts import Standing
from core.vault import ArtifactGone, vault
from deploy.bench.made import encoded
from workers.jobs import intake
from workers.pipeline import assignment
from workers.pipeline.judgement import judge
from workers.process.runner import LAST_DEATH
from workers.vision.check import examine
from workers.vision.encoder import encoders
from workers.vision.examination import Examination
from workers.vision.likeness import Embedding, distance, embed, limits

pytestmark = pytest.mark.photos


@pytest.fixture
def participation(org: UUID, member: Member) -> Participation:
    """Somebody who agreed to photos and to the comparison."""
    return add_participation(org, member, State.CONSENTED)


def upload(participation: Participation, *contents: bytes) -> None:
    with transaction(participation.org_id) as session:
        row = session.get_one(Participation, participation.id)
        agreed = consents.require(session, row.member_id)
        for content in contents:
            key = f"key-{len(photos.of_participation(session, row.id)):08d}"
            photos.store(
                session,
                row,
                sealed(row.org_id, content, Kind.PHOTO, row.member_id),
                upload_key=key,
                consent=agreed,
            )
    do_all_work()


def listed(participation: Participation) -> list[Photo]:
    with transaction(participation.org_id) as session:
        return list(photos.of_participation(session, participation.id))


def withdraw(participation: Participation) -> None:
    with transaction(participation.org_id) as session:
        consents.withdraw(session, session.get_one(Member, participation.member_id), Purpose.LIKENESS)


def kinds(participation: Participation) -> list[str]:
    """What is held of the person."""
    with transaction(participation.org_id) as session:
        rows = select(Artifact.kind).where(Artifact.delete_requested_at.is_(None)).order_by(Artifact.id)
        return list(session.scalars(rows))


def said_of(photo: Photo) -> list[str]:
    return [issue["code"] for issue in (photo.verdict or {"issues": ()})["issues"]]


def somebody_else(participation: Participation) -> list[bool]:
    return [
        any(issue["code"] == verdicts.SOMEBODY_ELSE for issue in photo.verdict["issues"])
        for photo in listed(participation)
        if photo.verdict
    ]


def test_answer_picks_the_face_that_is_checked(
    participation: Participation, photo: Callable[[str], bytes]
) -> None:
    upload(participation, photo("negatives/two-people.jpg"))
    asked = listed(participation)[0]
    assert verdicts.standing_of(asked) is Standing.ASKS
    assert asked.likeness_id is None, "nobody knows yet whose face it would be"
    assert asked.verdict
    faces = asked.verdict["faces"]
    right = max(range(len(faces)), key=lambda index: faces[index]["left"])
    with transaction(participation.org_id) as session:
        row = session.get_one(Photo, asked.id)
        verdicts.choose_face(session, row, right, actor=audit.SYSTEM)
        kept = got(session, row.artifact_id)
    do_all_work()
    answered = listed(participation)[0]
    assert answered.checked_at is not None
    assert verdicts.standing_of(answered) is not Standing.ASKS
    assert answered.artifact_id == asked.artifact_id
    with transaction(participation.org_id) as session:
        assert got(session, answered.artifact_id) == kept, "the copy is not encoded a second time"
        assert answered.preview_id is not None
        preview = Image.open(io.BytesIO(got(session, answered.preview_id)))
    assert max(preview.size) > 480, "people can look again whom they chose"


def test_headshot_shows_the_person_whom_the_answer_meant(
    participation: Participation,
    photo: Callable[[str], bytes],
    examined: Callable[[str], Examination],
    consent: ValidConsent,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The old background shines through at this pair's edges, which is another gate's business.
    monkeypatch.setattr("workers.pipeline.gates._EDGE", 1000.0)
    upload(participation, photo("negatives/two-people.jpg"))
    with transaction(participation.org_id) as session:
        row = photos.of_participation(session, participation.id)[0]
        assert row.verdict
        faces = row.verdict["faces"]
        right = max(range(len(faces)), key=lambda index: faces[index]["left"])
        verdicts.choose_face(session, row, right, actor=audit.SYSTEM)
    do_all_work()
    with transaction(participation.org_id) as session:
        submission.submit(session, session.get_one(Participation, participation.id), actor=audit.SYSTEM)
    do_all_work()
    with transaction(participation.org_id) as session:
        made = session.scalars(select(Headshot)).one()
        assert made.artifact_id is not None, made.gates
        headshot = examine(got(session, made.artifact_id), consent)

    def unlike(other: Examination) -> float:
        ours, theirs = (
            embed(one.pixels, one.face, consent)
            for one in (headshot, other)
            if one.pixels is not None and one.face is not None
        )
        return distance(ours, theirs)

    assert (
        unlike(examined("joe/portrait.jpg")) < limits().same_person < unlike(examined("barack/portrait.jpg"))
    )


def test_photo_of_somebody_else_is_named_and_unnamed_with_the_consent(
    participation: Participation, photo: Callable[[str], bytes]
) -> None:
    own = [photo(f"barack/{name}.jpg") for name in ("portrait", "podium")]
    upload(participation, own[0], photo("joe/portrait.jpg"))
    assert somebody_else(participation) == [False, False], "two photos do not say which is the stranger"
    upload(participation, own[1])
    assert somebody_else(participation) == [False, True, False]
    with transaction(participation.org_id) as session:
        embeddings = [photo.likeness_id for photo in photos.of_participation(session, participation.id)]
        assert None not in embeddings
        numbers = json.loads(got(session, embeddings[0] or UUID(int=0)))
        assert np.asarray(numbers).shape == (128,)
    assert kinds(participation).count("likeness") == 3
    withdraw(participation)
    assert somebody_else(participation) == [False, False], "nothing would keep that face from a headshot now"
    assert "likeness" not in kinds(participation)
    do_all_work()
    with transaction(participation.org_id) as session:
        for gone in session.scalars(select(Artifact).where(Artifact.kind == "likeness")):
            assert gone.destroyed_at is not None
            with pytest.raises(ArtifactGone):
                got(session, gone.id)


def test_another_encoder_makes_kept_numbers_anew_and_never_compares_the_old_ones(
    participation: Participation,
    photo: Callable[[str], bytes],
    org: UUID,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = [photo(f"barack/{name}.jpg") for name in ("portrait", "podium")]
    upload(participation, *own)
    colleague = add_participation(org, add_member(org, "Grace"), State.CONSENTED)
    with transaction(org) as session:
        session.get_one(Participation, colleague.id).shoot_id = participation.shoot_id
    by_dlib = [one.likeness_id for one in listed(participation)]
    path = pool_network(tmp_path / "pool.onnx")
    path.with_suffix(".json").write_text('{"limits": {"same_person": 1.2, "most_pairs": 0.9}}')
    monkeypatch.setenv("HEADSHOTS_LIKENESS_MODEL", str(path))
    forget_process_state()
    with transaction(org) as session:
        theirs = assignment.colleagues(session, colleague.id)
    (colleagues,) = assignment.embeddings(theirs)
    assert len(colleagues) == 2, "they are kept"
    assert not any(one.is_current for one in colleagues), "and the second encoder has not seen them"
    upload(participation, photo("joe/portrait.jpg"))
    after = listed(participation)
    with transaction(org) as session:
        kept = [Embedding.from_bytes(got(session, one.likeness_id or UUID(int=0))) for one in after]
        for gone in by_dlib:
            assert session.get_one(Artifact, gone).destroyed_at is not None
    dlib, pool = encoders()
    assert all(set(one.numbers) == {dlib.id, pool.id} for one in kept), "seen by both"
    assert all(one.numbers[pool.id].shape == (192,) for one in kept)
    assert kinds(participation).count("likeness") == 3
    with transaction(org) as session:
        theirs = assignment.colleagues(session, colleague.id)
    (colleagues,) = assignment.embeddings(theirs)
    assert [one.is_current for one in colleagues] == [True, True], "the third is doubted"


def test_doubted_photo_is_left_out_of_the_work_until_its_person_says_yes(
    participation: Participation, photo: Callable[[str], bytes], org: UUID
) -> None:
    upload(
        participation,
        *(photo(f"{name}.jpg") for name in ("barack/portrait", "joe/portrait", "barack/podium")),
    )
    doubted = listed(participation)[1]
    assert [verdicts.standing_of(one) for one in listed(participation)] == [
        Standing.ACCEPTED,
        Standing.UNSURE,
        Standing.ACCEPTED,
    ]
    colleague = add_participation(org, add_member(org, "Grace"), State.CONSENTED)
    with transaction(org) as session:
        session.get_one(Participation, colleague.id).shoot_id = participation.shoot_id
    joe = doubted.likeness_id

    def used() -> list[str]:
        with transaction(participation.org_id) as session:
            submission.submit(session, session.get_one(Participation, participation.id), actor=audit.SYSTEM)
            work = assignment.begin(session, participation.id)
            session.rollback()
        assert work is not None
        return [key for key, _ in work.photos]

    def shown_to_colleagues() -> int:
        with transaction(participation.org_id) as session:
            return len(assignment.colleagues(session, colleague.id))

    assert str(doubted.id) not in used()
    assert len(used()) == 2
    with transaction(participation.org_id) as session:
        for other in photos.of_participation(session, participation.id):
            if other.likeness_id != joe:
                other.likeness_id = None
    assert shown_to_colleagues() == 0, "a face that may be a colleague's is held against nobody"
    with transaction(participation.org_id) as session:
        verdicts.is_me(session, session.get_one(Photo, doubted.id), actor=audit.SYSTEM)
    assert len(used()) == 3
    assert shown_to_colleagues() == 1


def test_of_a_colleague_up_to_three_photos_are_compared_and_never_a_doubted_one(
    participation: Participation, photo: Callable[[str], bytes], org: UUID
) -> None:
    places = ("blue-room", "podium", "portrait", "speech")
    upload(participation, *(photo(f"barack/{place}.jpg") for place in places), photo("joe/portrait.jpg"))
    colleague, stranger = (
        add_participation(org, add_member(org, name), State.CONSENTED) for name in ("Grace", "Linus")
    )
    with transaction(org) as session:
        session.get_one(Participation, colleague.id).shoot_id = participation.shoot_id
    with transaction(org) as session:
        (group,) = assignment.colleagues(session, colleague.id)
        newest = [one.likeness_id for one in photos.of_participation(session, participation.id)][1:4]
        assert {held.id for held in group} == set(newest)
        assert assignment.colleagues(session, stranger.id) == [], "only of the same shoot"
        assert assignment.colleagues(session, participation.id) == [], "and never oneself"


def test_a_later_comparison_does_not_ask_again(
    participation: Participation, photo: Callable[[str], bytes]
) -> None:
    upload(
        participation,
        *(photo(f"{name}.jpg") for name in ("barack/portrait", "joe/portrait", "barack/podium")),
    )
    with transaction(participation.org_id) as session:
        verdicts.is_me(session, photos.of_participation(session, participation.id)[1], actor=audit.SYSTEM)
    upload(participation, photo("barack/portrait.jpg"))
    assert somebody_else(participation) == [False] * 4


def test_without_that_consent_no_embedding_is_ever_made(
    participation: Participation, photo: Callable[[str], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    from workers.vision import dlib_encoder

    withdraw(participation)
    made = []
    monkeypatch.setattr(dlib_encoder, "_models", lambda: made.append("the network was loaded"))
    upload(participation, photo("barack/portrait.jpg"))
    assert verdicts.standing_of(listed(participation)[0]) is Standing.ACCEPTED
    assert made == []
    with transaction(participation.org_id) as session:
        assert not session.scalars(select(Artifact).where(Artifact.kind == "likeness")).all()


@pytest.mark.parametrize("purpose", [Purpose.PHOTO, Purpose.LIKENESS])
def test_a_consent_that_is_taken_back_while_the_photo_is_checked_is_asked_for_again(
    participation: Participation,
    photo: Callable[[str], bytes],
    monkeypatch: pytest.MonkeyPatch,
    purpose: Purpose,
) -> None:
    def withdrawn_meanwhile(*arguments: Any, **options: Any) -> Examination:
        seen = judge(*arguments, **options)
        with transaction(participation.org_id) as session:
            consents.withdraw(session, session.get_one(Member, participation.member_id), purpose)
        return seen

    monkeypatch.setattr(intake, "judge", withdrawn_meanwhile)
    upload(participation, photo("barack/portrait.jpg"))
    (kept,) = listed(participation)
    if purpose is Purpose.LIKENESS:
        assert sorted(kinds(participation)) == ["photo", "preview"]
        assert verdicts.standing_of(kept) is Standing.ACCEPTED
    else:
        assert said_of(kept) == ["check_failed"], "nothing was measured of a face without its consent"
        assert kinds(participation) == []


def test_nothing_of_the_camera_stays_in_what_is_kept(participation: Participation) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Camera of Ada"
    exif.get_ifd(0x8825)[1] = "N"
    target = io.BytesIO()
    with Image.open(photo_path("barack/portrait.jpg")) as whole:
        whole.save(target, "JPEG", exif=exif, comment=b"Taken at Ada's home", quality=95)
    assert b"Camera of Ada" in target.getvalue()
    upload(participation, target.getvalue())
    (row,) = listed(participation)
    with transaction(participation.org_id) as session:
        held = [got(session, one) for one in (row.artifact_id, row.preview_id) if one]
    assert len(held) == 2
    for content in held:
        picture = Image.open(io.BytesIO(content))
        assert not picture.getexif()
        assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert not any(word in content for word in (b"Camera of", b"Taken at"))


def test_a_photo_on_which_the_check_fails_gets_an_answer_and_the_others_are_sent(
    participation: Participation, photo: Callable[[str], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = photo("barack/podium.jpg")

    def judge_or_fail(content: bytes, *given: object, **named: object) -> Examination:
        if content == failing:
            raise ZeroDivisionError
        return judge(content, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(intake, "judge", judge_or_fail)
    upload(participation, photo("barack/portrait.jpg"), failing)
    with transaction(participation.org_id) as session:
        for row in session.scalars(select(Outbox).where(Outbox.failed_at.is_(None))):
            row.not_before = now()
    do_all_work()
    assert [verdicts.standing_of(one) for one in listed(participation)] == [
        verdicts.Standing.ACCEPTED,
        verdicts.Standing.REJECTED,
    ]
    assert said_of(listed(participation)[1]) == ["check_failed"]
    with transaction(participation.org_id) as session:
        submission.submit(session, session.get_one(Participation, participation.id), actor=audit.SYSTEM)


@pytest.mark.parametrize("why", ["killed its worker", "lost its object"])
def test_a_photo_that_cannot_even_be_looked_at_gets_an_answer(
    participation: Participation, photo: Callable[[str], bytes], why: str
) -> None:
    with transaction(participation.org_id) as session:
        row = session.get_one(Participation, participation.id)
        agreed = consents.require(session, row.member_id)
        stored = photos.store(
            session,
            row,
            sealed(row.org_id, photo("barack/portrait.jpg"), Kind.PHOTO, row.member_id),
            upload_key="key-00000000",
            consent=agreed,
        )
        if why == "killed its worker":
            row = session.scalars(select(Outbox).where(Outbox.job == "intake")).one()
            row.deaths, row.started_at = LAST_DEATH - 1, now()
        else:
            name = session.get_one(Artifact, stored.photo.artifact_id).object_name
    if why == "lost its object":
        vault().store.delete(name)
    do_all_work()
    assert said_of(listed(participation)[0]) == ["check_failed"]
    assert kinds(participation) == (["photo"] if why == "killed its worker" else [])


def test_a_photo_whose_check_failed_can_be_checked_again(
    participation: Participation, photo: Callable[[str], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_given: object, **_named: object) -> Examination:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(intake, "judge", failing)
        patched.setattr("core.owed.PAUSES_SECONDS", (0,))
        upload(participation, photo("barack/portrait.jpg"))
    (failed,) = listed(participation)
    assert said_of(failed) == ["check_failed"]
    assert failed.check_failed_at is not None
    with transaction(participation.org_id) as session:
        verdicts.check_again(session, session.get_one(Photo, failed.id))
    assert verdicts.standing_of(listed(participation)[0]) is Standing.CHECKING
    do_all_work()
    (checked,) = listed(participation)
    assert (verdicts.standing_of(checked), checked.check_failed_at) == (Standing.ACCEPTED, None)
    assert checked.artifact_id != failed.artifact_id, "the original goes once it has been looked at"
    with transaction(participation.org_id) as session:
        with pytest.raises(ArtifactGone):
            got(session, failed.artifact_id)
        with pytest.raises(verdicts.NothingToCheck):
            verdicts.check_again(session, session.get_one(Photo, failed.id))


@pytest.mark.parametrize("size", [(10_000, 1), (1, 10_000), (64, 9_000)])
def test_a_picture_of_an_odd_size_gets_an_answer(participation: Participation, size: tuple[int, int]) -> None:
    upload(participation, encoded(Image.new("RGB", size, "white"), "JPEG"))
    assert said_of(listed(participation)[0]) == ["no_face" if min(size) == 64 else "too_few_pixels"]


def test_embedding_goes_with_its_photo(participation: Participation, photo: Callable[[str], bytes]) -> None:
    upload(participation, photo("barack/portrait.jpg"))
    assert sorted(kinds(participation)) == ["likeness", "photo", "preview"]
    with transaction(participation.org_id) as session:
        row = photos.of_participation(session, participation.id)[0]
        photos.remove(session, row, actor=audit.SYSTEM)
    do_all_work()
    assert kinds(participation) == []

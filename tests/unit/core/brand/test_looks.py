"""The company's look: confirmed, sealed, kept by what a shoot uses, and gone when it is removed."""

from __future__ import annotations

import io
import threading
from typing import Any
from uuid import UUID

import pytest
from conftest import add_member, forget_process_state
from painted import coarse
from PIL import Image, ImageEnhance
from sealing import got, opened, sealed
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from work import do_all_work

from core import audit, progress
from core.brand import look_pictures, look_reading, look_training, looks, pictures, styles
from core.brand.looks import Standing
from core.db import transaction
from core.errors import NotFound
from core.ids import new_id
from core.models import Adapter, Artifact, AuditEvent, Kind, Look, Member, Outbox, Style
from core.people import organizations
from core.queue import JobName
from core.style.spec import StyleSpec
from core.vault import ArtifactGone, vault
from workers.jobs import train_style


def picture(seed: int = 200, size: tuple[int, int] = (800, 640), *, form: str = "JPEG") -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "A camera that nobody needs to know"
    return coarse(seed, size, form, exif=exif)


PICTURES = [picture(150 + number) for number in range(6)]


@pytest.fixture
def style(org: UUID) -> Style:
    with transaction(org) as session:
        return styles.save(session, StyleSpec(name="Warm"), actor=audit.SYSTEM)


@pytest.fixture
def robin(org: UUID) -> Member:
    return add_member(org, "Robin")


def give(
    style: Style, files: list[bytes] = PICTURES, *, rights: bool = True, actor: Any = audit.SYSTEM
) -> Any:
    look_pictures.demand(len(files), rights=rights)
    readable = look_reading.read(files)
    pictures = looks.seal(style.org_id, readable)
    with transaction(style.org_id) as session:
        return looks.give(session, session.get_one(Style, style.id), readable, pictures, actor=actor)


def learn(style: Style, *, revision: str = "1", content: bytes = b"what was learned") -> None:
    """Keep a look's adapter, as the training would."""
    with transaction(style.org_id) as session:
        look_id = session.get_one(Style, style.id).look_id
        assert look_id is not None
        look_training.store(
            session,
            look_id,
            sealed(style.org_id, content, Kind.ADAPTER),
            base="klein",
            revision=revision,
            rank=2,
            steps=8,
            seed=1,
            seconds=1.0,
            watt_hours=None,
        )


def learned(style: Style) -> bytes | None:
    with transaction(style.org_id) as session:
        found = look_training.learned(session, session.get_one(Style, style.id))
        return opened(found[1]) if found else None


def lock(style: Style) -> None:
    with transaction(style.org_id) as session:
        styles.lock(session, session.get_one(Style, style.id))


def held(org: UUID, *kinds: Kind) -> list[Artifact]:
    """What of these kinds has not been destroyed."""
    with transaction(org) as session:
        wanted = select(Artifact).where(Artifact.kind.in_(kinds), Artifact.destroyed_at.is_(None))
        return list(session.scalars(wanted))


def events(org: UUID, tag: audit.Tag) -> list[AuditEvent]:
    with transaction(org) as session:
        return list(session.scalars(select(AuditEvent).where(AuditEvent.tag == tag)))


def owed(session: Session) -> list[UUID]:
    return list(session.scalars(select(Outbox.subject_id).where(Outbox.job == JobName.TRAIN_STYLE)))


def test_pictures_are_stripped_made_smaller_and_sealed_with_the_companys_key(style: Style) -> None:
    org = style.org_id
    given = give(style, [picture(size=(3200, 2400)), *PICTURES[1:]])
    kept = held(org, Kind.STYLE_PICTURE)
    assert {str(one.id) for one in kept} == set(given.look.pictures)
    assert all(one.member_id is None for one in kept)
    with transaction(org) as session:
        content = got(session, UUID(given.look.pictures[0]))
        shown = Image.open(io.BytesIO(content))
        assert shown.size == (1600, 1200)
        assert dict(shown.getexif()) == {}
        assert owed(session) == [given.look.id]
    for one in kept:
        assert b"\xff\xd8\xff" not in vault().store.get(one.object_name)[:64]
    assert progress.read(given.look.id) is not None
    other = organizations.create("globex", "Globex")
    with transaction(other) as session, pytest.raises(ArtifactGone):
        got(session, kept[0].id)


def test_without_the_confirmation_nothing_is_kept(style: Style) -> None:
    with pytest.raises(look_pictures.RightsUnconfirmed) as refused:
        give(style, rights=False)
    assert refused.value.details["field"] == "rights"
    assert held(style.org_id, Kind.STYLE_PICTURE) == []
    assert events(style.org_id, audit.Tag.STYLE_RIGHTS_CONFIRMED) == []


def test_who_confirmed_and_for_how_many_pictures_is_in_the_log(style: Style, robin: Member) -> None:
    given = give(style, actor=audit.actor_for(robin))
    (event,) = events(style.org_id, audit.Tag.STYLE_RIGHTS_CONFIRMED)
    assert event.actor_id == robin.id
    assert event.facts == {"style": str(style.id), "look": str(given.look.id), "pictures": 6}


def test_files_that_cannot_be_used_are_left_out_and_the_good_ones_kept(style: Style) -> None:
    given = give(style, [b"no picture", *PICTURES, picture(size=(400, 900)), b"<svg></svg>"])
    assert [one.number for one in given.refused] == [1, 8, 9]
    reasons = [one.error.message for one in given.refused]
    assert "not a picture" in reasons[0]
    assert "less than 512 pixels" in reasons[1]
    assert "SVG" in reasons[2]
    assert all(isinstance(one.error, pictures.PictureUnusable) for one in given.refused)
    assert len(given.look.pictures) == 6


def test_a_picture_with_nothing_to_see_teaches_nothing_and_is_left_out(style: Style) -> None:
    target = io.BytesIO()
    Image.new("RGB", (800, 640), (120, 90, 40)).save(target, "PNG")
    (left_out,) = give(style, [*PICTURES, target.getvalue()]).refused
    assert (left_out.number, left_out.error.message) == (7, "There is nothing to see in this picture.")


def test_a_second_copy_of_a_picture_is_left_out_though_it_is_smaller_or_a_little_brighter(
    style: Style,
) -> None:
    with Image.open(io.BytesIO(picture(1, (1600, 1280)))) as original:
        smaller, brighter = io.BytesIO(), io.BytesIO()
        original.resize((800, 640)).save(smaller, "WEBP", quality=60)
        ImageEnhance.Brightness(original).enhance(1.02).save(brighter, "JPEG")
        copies = [smaller.getvalue(), brighter.getvalue()]
    given = give(style, [picture(1, (1600, 1280)), *copies, *PICTURES])
    assert [one.number for one in given.refused] == [2, 3]
    assert {one.error.message for one in given.refused} == {"This is the same picture as one before it."}
    assert len(given.look.pictures) == 7


def test_a_banner_is_refused_for_its_shape_not_for_its_size() -> None:
    with pytest.raises(look_pictures.PicturesUnusable) as caught:
        look_reading.read([picture(size=(3000, 800))] * look_pictures.LEAST)
    assert "three times as long as wide" in caught.value.refused[0].error.message


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([], "at least 5 pictures, and 0 can be used"),
        ([*PICTURES[:4], b"no picture"], "at least 5 pictures, and 4 can be used"),
        ([PICTURES[0]] * 41, "choose the best 40"),
    ],
)
def test_too_few_or_too_many_pictures_are_refused_as_a_whole(
    style: Style, files: list[bytes], said: str
) -> None:
    with pytest.raises(look_pictures.PicturesUnusable, match=said) as refused:
        give(style, files)
    assert refused.value.details["field"] == "pictures"
    assert held(style.org_id, Kind.STYLE_PICTURE) == []


def test_what_was_learned_is_sealed_and_on_record(style: Style) -> None:
    given = give(style)
    learn(style)
    org = style.org_id
    with transaction(org) as session:
        adapter = session.scalars(select(Adapter)).one()
        assert (adapter.kind, adapter.style_id, adapter.member_id) == ("style", style.id, None)
        assert (adapter.base, adapter.revision, adapter.rank, adapter.steps) == ("klein", "1", 2, 8)
        assert adapter.photos == given.look.pictures
        assert looks.standing(session.get_one(Look, given.look.id)) is Standing.LEARNED
    assert learned(style) == b"what was learned"
    (artifact,) = held(org, Kind.ADAPTER)
    assert b"what was learned" not in vault().store.get(artifact.object_name)
    (event,) = events(org, audit.Tag.STYLE_TRAINED)
    assert event.facts["pictures"] == 6


def test_a_new_version_begins_with_the_same_look(style: Style) -> None:
    give(style)
    learn(style)
    lock(style)
    with transaction(style.org_id) as session:
        locked = session.get_one(Style, style.id)
        saved = styles.save(session, StyleSpec(name="Warm"), style=locked, actor=audit.SYSTEM)
    assert saved.version == 2
    assert learned(saved) == b"what was learned"


def test_other_pictures_leave_the_look_of_a_style_that_a_shoot_uses(style: Style) -> None:
    give(style)
    learn(style)
    lock(style)
    given = give(style, PICTURES[:5])
    assert (given.style.version, given.style.id) == (2, given.style.id)
    assert given.style.id != style.id
    assert learned(given.style) is None
    learn(given.style, content=b"the other look")
    assert learned(style) == b"what was learned"
    assert learned(given.style) == b"the other look"
    assert len(held(style.org_id, Kind.STYLE_PICTURE)) == 11


def test_other_pictures_of_a_later_version_leave_those_that_an_earlier_one_has(style: Style) -> None:
    first = give(style).look
    learn(style)
    lock(style)
    with transaction(style.org_id) as session:
        locked = session.get_one(Style, style.id)
        later = styles.save(session, StyleSpec(name="Warm"), style=locked, actor=audit.SYSTEM)
    given = give(later, PICTURES[:5])
    assert given.style.id == later.id
    assert learned(style) == b"what was learned"
    with transaction(style.org_id) as session:
        assert got(session, UUID(first.pictures[0]))


def test_an_earlier_version_takes_no_pictures_and_pressing_twice_gives_them_once(style: Style) -> None:
    lock(style)
    second = give(style).style
    assert second.version == 2
    with pytest.raises(looks.NewerVersion):
        give(style)
    assert len(held(style.org_id, Kind.STYLE_PICTURE)) == len(PICTURES)
    with transaction(style.org_id) as session:
        assert [one.style.id for one in styles.newest(session)] == [second.id]


def test_keeping_what_was_learned_and_giving_other_pictures_do_not_stop_each_other(style: Style) -> None:
    first = give(style).look.id
    failures: list[DBAPIError] = []
    stored, refreshed = threading.Event(), threading.Event()

    def worker() -> None:
        """Hold the look, as while its weights are sealed, then write the row that names the style."""
        try:
            with transaction(style.org_id) as session:
                look_id = session.scalars(select(Style.look_id).where(Style.id == style.id)).one()
                session.get_one(Look, look_id, with_for_update=True)
                stored.set()
                assert refreshed.wait(10)
                session.execute(
                    select(Style.id).where(Style.id == style.id).with_for_update(read=True, key_share=True)
                )
        except DBAPIError as error:
            failures.append(error)

    holding = threading.Thread(target=worker)
    holding.start()
    assert stored.wait(10)
    with transaction(style.org_id) as session:
        mine = session.get_one(Style, style.id)
        readable = look_reading.read(PICTURES)
        threading.Timer(0.5, refreshed.set).start()
        pictures = [sealed(style.org_id, one, Kind.STYLE_PICTURE) for one in readable.usable]
        looks.give(session, mine, readable, pictures, actor=audit.SYSTEM)
    holding.join(20)
    assert failures == []
    with transaction(style.org_id) as session:
        mine = session.get_one(Style, style.id)
        found = looks.of(session, mine)
        assert found is not None
        assert found.id != first


def test_other_pictures_take_the_place_of_those_that_no_shoot_uses(style: Style) -> None:
    before = give(style).look
    learn(style)
    after = give(style, PICTURES[:5])
    assert (after.style.id, after.style.version) == (style.id, 1)
    do_all_work()  # no image model here: the learning gives up, the removal is done
    assert {str(one.id) for one in held(style.org_id, Kind.STYLE_PICTURE)} == set(after.look.pictures)
    assert held(style.org_id, Kind.ADAPTER) == []
    with transaction(style.org_id) as session:
        assert session.get_one(Look, before.id).ended_at is not None


def test_removing_destroys_pictures_and_model_for_every_version(style: Style, robin: Member) -> None:
    org = style.org_id
    given = give(style)
    with transaction(org) as session:
        look_training.keep_checkpoint(session, given.look.id, sealed(style.org_id, b"half", Kind.CHECKPOINT))
    learn(style)
    lock(style)
    with transaction(org) as session:
        locked = session.get_one(Style, style.id)
        later = styles.save(session, StyleSpec(name="Warm"), style=locked, actor=audit.SYSTEM)
    with transaction(org) as session:
        looks.remove(session, session.get_one(Style, later.id), actor=audit.actor_for(robin))
    assert learned(style) is None
    with transaction(org) as session, pytest.raises(ArtifactGone):
        got(session, UUID(given.look.pictures[0]))
    do_all_work()
    assert held(org, Kind.STYLE_PICTURE, Kind.ADAPTER, Kind.CHECKPOINT) == []
    (event,) = events(org, audit.Tag.STYLE_LOOK_REMOVED)
    assert event.actor_id == robin.id
    assert event.facts["objects"] == 7
    with transaction(org) as session:  # a second click does nothing
        looks.remove(session, session.get_one(Style, later.id), actor=audit.SYSTEM)
    assert len(events(org, audit.Tag.STYLE_LOOK_REMOVED)) == 1


def test_what_was_learned_of_a_look_that_was_removed_meanwhile_is_not_kept(style: Style) -> None:
    given = give(style)
    org = style.org_id
    with transaction(org) as session:
        looks.remove(session, session.get_one(Style, style.id), actor=audit.SYSTEM)
    with transaction(org) as session:
        session.execute(update(Style).values(look_id=given.look.id))  # as a save at the same moment does
    learn(style)
    with transaction(org) as session:
        look_training.keep_checkpoint(session, given.look.id, sealed(style.org_id, b"half", Kind.CHECKPOINT))
        look_training.fail(session, given.look.id, "late")
        assert look_training.begin(session, given.look.id) is None
        assert looks.of(session, session.get_one(Style, style.id)) is None
    assert held(org, Kind.ADAPTER, Kind.CHECKPOINT) == []


def test_a_look_for_weights_that_nobody_runs_is_learned_anew_once(style: Style) -> None:
    look = give(style).look
    learn(style)
    with transaction(style.org_id) as session:
        adapter_id = session.scalars(select(Adapter.id)).one()
    for _ in range(2):
        with transaction(style.org_id) as session:
            look_training.learn_again(session, session.get_one(Style, style.id), adapter_id)
    with transaction(style.org_id) as session:
        assert owed(session) == [look.id, look.id], "when it was given, and once more"
    assert learned(style) is None
    learn(style, revision="2")
    with transaction(style.org_id) as session:
        look_training.learn_again(session, session.get_one(Style, style.id), adapter_id)
    assert learned(style) is not None, "the new one stays"


def test_learning_that_was_given_up_says_why_and_can_be_tried_again(style: Style) -> None:
    look = give(style).look
    with transaction(style.org_id) as session:
        look_training.keep_checkpoint(session, look.id, sealed(style.org_id, b"half", Kind.CHECKPOINT))
        train_style.failed(session, look.id, "OutOfMemoryError")
        row = session.get_one(Look, look.id)
        assert (looks.standing(row), row.failure_code, row.checkpoint_id) == (
            Standing.FAILED,
            "OutOfMemoryError",
            None,
        )
    for _ in range(2):
        with transaction(style.org_id) as session:
            looks.try_again(session, session.get_one(Style, style.id))
            assert looks.standing(session.get_one(Look, look.id)) is Standing.LEARNING
            assert owed(session) == [look.id, look.id]


def test_without_an_image_model_learning_gives_up(style: Style) -> None:
    look = give(style).look
    forget_process_state()
    do_all_work()
    with transaction(style.org_id) as session:
        assert session.get_one(Look, look.id).failure_code == "engine_off"


def test_only_the_looks_own_pictures_are_shown(style: Style) -> None:
    given = give(style)
    with transaction(style.org_id) as session:
        row = session.get_one(Style, style.id)
        assert opened(looks.picture(session, row, UUID(given.look.pictures[2])))[:2] == b"\xff\xd8"
        with pytest.raises(NotFound):
            looks.picture(session, row, new_id())

"""Corrections and restrictions do something: whose data is restricted is used for nothing: no render, no mail of a shoot, no copy for the company, until it is lifted."""

from __future__ import annotations

from uuid import UUID

import pytest
from conftest import add_member, add_participation
from sqlalchemy import select
from unit.compliance.test_request_moves import BEGUN, open_one, walk

from compliance import consent
from compliance.requests import answers, letters, moves
from core import audit
from core.db import transaction
from core.errors import InvalidInput
from core.ids import new_id
from core.models import Member, Outbox, Participation, Right, Shoot, Stage, State
from core.portraits import downloads
from core.queue import JobName
from core.shoots import invites, reminding
from workers.jobs import invite_mail

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_a_correction_changes_the_record_and_tells_of_copies(org: UUID, member: Member) -> None:
    robin = audit.actor_for(add_member(org, "Robin", role="hr_admin"))
    part = add_participation(org, member, State.APPROVED)
    with transaction(org) as session:
        session.get_one(Participation, part.id).chosen_headshot_id = new_id()
        assert downloads.handed(session, part.id, is_master=True, actor=robin)
        row = open_one(session, session.get_one(Member, member.id), Right.RECTIFICATION)
        walk(session, row, *BEGUN, by=robin)
        with pytest.raises(InvalidInput):
            answers.correct(session, row, {"last_name": "Example", "first_name": ""}, actor=robin)
        assert answers.correct(session, row, {"last_name": "King", "first_name": ""}, actor=robin) == 1
        walk(session, row, "fulfil", by=robin)
    with transaction(org) as session:
        person = session.get_one(Member, member.id)
        assert (person.first_name, person.last_name) == ("Ada", "King")


def test_nothing_is_done_with_restricted_data_until_it_is_lifted(org: UUID, member: Member) -> None:
    robin = audit.actor_for(add_member(org, "Robin", role="hr_admin"))
    part = add_participation(org, member, State.APPROVED)
    waiting = add_participation(org, member, State.INVITED)
    with transaction(org) as session:
        session.get_one(Participation, part.id).chosen_headshot_id = new_id()
        invite_id = invites.create(session, session.get_one(Participation, waiting.id), actor=robin).id
        row = open_one(session, session.get_one(Member, member.id), Right.RESTRICTION)
        walk(session, row, *BEGUN, "fulfil", by=robin)
        request_id = row.id
    with transaction(org) as session:
        with pytest.raises(consent.Restricted):
            consent.require(session, member.id)
        assert invite_mail.mail_of(session, invite_id) is None
        assert not downloads.handed(session, part.id, is_master=True, actor=robin)
        assert downloads.picture(session, part.id) is None
        with pytest.raises(reminding.NotRemindable):
            reminding.remind(session, session.get_one(Participation, waiting.id), actor=robin)
        assert reminding.remind_all(session, session.get_one(Shoot, waiting.shoot_id), actor=robin) == 0
    with transaction(org) as session:
        answers.unrestrict(session, moves.get(session, request_id), actor=robin)
        newest = (
            select(Outbox.subject_id).where(Outbox.job == JobName.REQUEST_MAIL).order_by(Outbox.id.desc())
        )
        event_id = session.scalar(newest.limit(1))
        assert event_id is not None
        mail = letters.mail(session, event_id)
        assert mail is not None
        assert "The restriction of your data at Acme ends" in mail.text
    with transaction(org) as session:
        assert consent.require(session, member.id).member_id == member.id
        assert invite_mail.mail_of(session, invite_id) is not None
        assert downloads.handed(session, part.id, is_master=True, actor=robin)
        row = moves.get(session, request_id)
        assert row.state == Stage.FULFILLED
        with pytest.raises(moves.NotAllowed):
            answers.unrestrict(session, row, actor=robin)

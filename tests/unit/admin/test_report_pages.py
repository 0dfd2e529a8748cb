"""Reports about the company: signed, from what is configured, in versions; what nobody stated is not made up."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pypdf
import pytest
from conftest import add_member
from sqlalchemy import select

from compliance.bundle.making import files
from compliance.evidence import published_keys
from compliance.reports import page
from compliance.reports.company import issuing
from compliance.reports.company.kinds import Report, sections
from compliance.reports.wording import LANGUAGES, Wording
from compliance.requests import desk
from compliance.verify import Kind, verify_file
from core import audit
from core.db import transaction
from core.models import AuditEvent, CompanyReport, Member, Right, Role, SubjectRequest
from core.people import organizations
from core.settings import diffusion_settings, settings
from core.shoots import promises
from core.shoots.promises import Kept
from core.vault import vault
from portal.app import create_app as create_portal


def test_an_auditor_gets_a_signed_report_that_verifies_offline(
    org: UUID, signed_in: Callable[[Role], Any]
) -> None:
    auditor = signed_in(Role.AUDITOR)
    answer = auditor.get("/admin/reports/records.en.pdf")
    assert answer.mimetype == "application/pdf"
    found = verify_file(answer.data, published_keys(org))
    assert found.ok, found.checks
    assert (found.kind, found.status) == (Kind.REPORT, "REPORT")
    assert not verify_file(answer.data[:-9] + b"x" + answer.data[-8:], published_keys(org)).ok
    assert auditor.get("/admin/reports/records.en.pdf").data == answer.data, "nothing changed: the same file"
    text = "\n".join(one.extract_text() for one in pypdf.PdfReader(io.BytesIO(answer.data)).pages)
    assert "not stated by the company" in text
    assert "privacy@acme.example" in text
    assert "photos.verdict" in text, "the columns of the map"
    names = {name for name, _ in files(org)}
    assert any(name.startswith("reports/") for name in names), "the evidence archive has it"
    assert signed_in(Role.REVIEWER).get("/admin/reports").status_code == 403


def test_another_version_is_signed_only_where_something_changed_and_says_what(
    org: UUID, signed_in: Callable[[Role], Any]
) -> None:
    hr = signed_in(Role.HR_ADMIN)
    first = hr.get("/admin/reports/retention.en.json").json
    assert (first["version"], hr.get("/admin/reports/retention.en.json").json) == (1, first)
    shown = hr.get("/admin/reports").text
    assert "as things are" in shown
    assert "Deutsch</a>" in shown, "the page in the other language"
    with transaction(org) as session:
        promises.change(session, {Kept.SELFIES: 7}, actor=audit.SYSTEM)
    assert "something changed since" in hr.get("/admin/reports").text
    second = hr.get("/admin/reports/retention.en.json").json
    assert second["version"] == 2
    said = [(one.before, one.after) for one in issuing.changes(first, second)]
    assert any(before.startswith("30 days") and after.startswith("7 days") for before, after in said)
    shown = hr.get("/admin/reports/retention/changes").text
    assert "7 days" in shown
    with transaction(org) as session:
        versions = session.scalars(select(CompanyReport.version).order_by(CompanyReport.version)).all()
        tags = session.scalars(select(AuditEvent.tag).where(AuditEvent.tag == audit.Tag.REPORT_ISSUED)).all()
    assert (versions, len(tags)) == ([1, 2], 2)


def test_a_cell_that_a_spreadsheet_would_run_is_text(org: UUID, signed_in: Callable[[Role], Any]) -> None:
    with transaction(org) as session:
        organizations.current(session).legal_name = "=HYPERLINK(1)"
    content = signed_in(Role.OWNER).get("/admin/reports/records.de.csv").data.decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(content)) for cell in row]
    assert "'=HYPERLINK(1)" in cells
    assert "vom Unternehmen nicht angegeben" in cells


@pytest.mark.parametrize("report", list(Report))
def test_each_report_says_the_same_in_both_languages_and_twice(org: UUID, report: Report) -> None:
    with transaction(org) as session:
        english, german = (sections(session, report, language) for language in LANGUAGES)
        again = sections(session, report, "en")
        shown = issuing.unsigned_document(session, report, "en")
    assert english == again
    assert [one.id for one in english] == [one.id for one in german]
    assert [len(one.facts) for one in english] == [len(one.facts) for one in german]
    assert [[len(t.rows) for t in one.tables] for one in english] == [
        [len(t.rows) for t in one.tables] for one in german
    ]
    assert page.html(shown).replace(shown.number, "") == page.html(shown).replace(shown.number, "")
    assert "{" not in "".join(shown.words()), "nothing is left to be filled in"


def test_a_buyer_reads_no_where_the_answer_is_no(org: UUID) -> None:
    with transaction(org) as session:
        said = {
            row[0]: row[1]
            for section in sections(session, Report.QUESTIONNAIRE, "en")
            for one in section.tables
            for row in one.rows
        }
    assert said["SOC 2?"].startswith("No.")
    assert said["ISO/IEC 27001?"].startswith("No.")
    assert said["Are pictures used to train other models?"] == "No."
    assert said["How long are selfies kept?"].startswith("30 days")


def test_metrics_are_counted_from_the_register(org: UUID) -> None:
    ada = add_member(org)
    with transaction(org) as session:
        member = session.get_one(Member, ada.id)
        for right in (Right.ACCESS, Right.ACCESS, Right.WITHDRAWAL):
            desk.record_done(session, member, right)
        session.flush()
        before = session.scalars(select(SubjectRequest)).first()
        assert before is not None
        assert before.decided_at is not None
        before.decided_at += timedelta(days=4)
        session.flush()
        this = sections(session, Report.METRICS, "en")[1]
    said = {row[0]: row[1:] for row in this.tables[0].rows}
    assert said["know, access"] == ("2", "2", "0", "2", "2")
    assert "1" not in {row[0] for row in said.values()}, "who took a consent back is not for HR to count"
    assert said["delete"] == ("0", "0", "0", "–", "–")


def test_anybody_reads_the_policy_on_biometric_data(org: UUID) -> None:
    visitor = create_portal().test_client()
    answer = visitor.get("/trust/acme/biometric-policy")
    assert "three years after the person’s last interaction with Acme" in answer.text
    assert "/trust/acme/biometric-policy" in visitor.get("/trust/acme").text
    assert visitor.get("/trust/acme/biometric-policy.pdf").mimetype == "application/pdf"
    assert visitor.get("/trust/nobody/biometric-policy").status_code == 404


def test_a_report_that_does_not_exist_is_not_found(org: UUID, signed_in: Callable[[Role], Any]) -> None:
    hr = signed_in(Role.HR_ADMIN)
    for address in ("records.fr.pdf", "nothing.en.pdf", "nothing/changes"):
        assert hr.get(f"/admin/reports/{address}").status_code == 404


def test_the_words_of_both_languages_have_one_shape() -> None:
    def shape(words: Any) -> Any:
        if isinstance(words, dict):
            return {name: shape(value) for name, value in words.items()}
        return [shape(one) for one in words] if isinstance(words, list) else str

    english, german = (Wording(language, "company")._words for language in LANGUAGES)
    assert shape(english) == shape(german)


def test_a_key_service_that_keeps_old_keys_for_days_is_counted_in_every_promise(
    org: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = vault().keys._kms
    monkeypatch.setattr(type(service), "waiting", lambda *_: timedelta(days=8))
    hours = str(settings().epoch_hours + 8 * 24)
    with transaction(org) as session:
        for report in (Report.QUESTIONNAIRE, Report.RECORDS, Report.BIOMETRIC_POLICY, Report.RETENTION):
            words = " ".join(issuing.unsigned_document(session, report, "en").words())
            assert f"{hours} hours later at most" in words, report
            assert f"{settings().epoch_hours} hours later" not in words
    assert f"{hours} hours later at the latest" in create_portal().test_client().get("/trust/acme").text


def test_what_no_image_model_can_do_here_is_no_purpose(org: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    def listed(report: Report) -> list[str]:
        with transaction(org) as session:
            (one,) = (one for one in sections(session, report, "en") if one.id == "purposes")
        return [what for _, what, _ in one.tables[0].rows]

    for report in (Report.RECORDS, Report.DPIA):
        assert not any("image model" in what for what in listed(report)), report
    for base, inpaint, count in (("klein", "", 3), ("sdxl", "", 1), ("sdxl", "/a", 2), ("z-image", "", 1)):
        monkeypatch.setenv("HEADSHOTS_DIFFUSION_BASE", base)
        monkeypatch.setenv("HEADSHOTS_DIFFUSION_INPAINT_MODEL", inpaint)
        settings.cache_clear()
        diffusion_settings.cache_clear()
        assert sum("image model" in what for what in listed(Report.RECORDS)) == count, base
    monkeypatch.undo()
    settings.cache_clear()
    diffusion_settings.cache_clear()


def test_answers_name_no_variable_and_nobody_as_the_source_of_what_nobody_stated(org: UUID) -> None:
    with transaction(org) as session:
        for language, source in (("en", "stated by the company"), ("de", "vom Unternehmen auf")):
            report = sections(session, Report.QUESTIONNAIRE, language)
            rows = [row for one in report for listed in one.tables for row in listed.rows]
            unstated = Wording(language, "company")("missing")
            assert [where for _, what, where in rows if what == unstated]
            for question, what, where in rows:
                assert not (what == unstated and where.startswith(source)), question
                assert "HEADSHOTS_" not in what + where, question
    assert "HEADSHOTS_OPERATOR_CERTIFICATES" not in create_portal().test_client().get("/trust/acme").text

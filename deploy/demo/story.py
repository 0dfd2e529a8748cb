"""The story, in order: HR invites, employees get their headshots, one of them disappears with a proof."""

from __future__ import annotations

import io
import json
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

from compliance.verify import Verification, verify_file
from core.models import EngineName
from core.style.outputs import OutputFormat
from deploy.demo.admin import HrAdmin, Say
from deploy.demo.browser import Browser, DemoFailed
from deploy.demo.employee import Employee, Outcome, patience
from deploy.demo.people import Person, employees
from deploy.local.processes import child_environment, python_module
from deploy.local.stack import COMPANY_NAME, Stack
from workers.folder.batch import Report
from workers.pipeline.team import MOST, Pair, contact_sheet, team_figures
from workers.studio.encode import encode
from workers.vision.decode import decode

DECLINER = "noor"
MAIL_PATIENCE_SECONDS = 120.0
LONGEST_KEY = 60  # letters of up to 4 bytes: with its ending a file name has at most 255 bytes
SHEET_SIDE = 700  # px, long side of a photo kept for the team sheet


@dataclass(frozen=True)
class Place:
    """Where the story happens.

    Attributes:
        base_url: Address of the product.
        mailbox_url: Address of the page with every mail that was sent.
        org_slug: Short name of the company.
        turn_epoch: Does what the scheduler does once a day.
        watch: Called now and then, to revive a part that died.
    """

    base_url: str
    mailbox_url: str
    org_slug: str
    turn_epoch: Callable[[], None]
    watch: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Proof:
    """The end of one employee.

    Attributes:
        person: Key of the erased one.
        certificate: The file.
        verification: What checking it offline with the published keys found.
        tampered: The same after one byte was changed.
    """

    person: str
    certificate: Path
    verification: Verification
    tampered: Verification


@dataclass(frozen=True)
class DemoResult:
    """What came of it.

    Attributes:
        report: As in `OUT/report.json`.
        failures: Person → why the studio could not make a headshot.
        fallbacks: Person → why the studio made it instead of the image model.
        proof: Of the erasure.
        seconds: From the first request to the last.
    """

    report: Report
    failures: dict[str, tuple[str, ...]]
    fallbacks: dict[str, str]
    proof: Proof
    seconds: float

    @property
    def headshots(self) -> int:
        """How many employees got one."""
        return sum(person.source is not None for person in self.report.people)

    @property
    def of_the_model(self) -> list[str]:
        """Whose headshot an image model made, where one was to make it."""
        return [one.person for one in self.report.people if one.source and one.person not in self.fallbacks]


def place_of(stack: Stack) -> Place:
    """Return where a running stack's story happens."""

    def turn_epoch() -> None:
        command = python_module("deploy.cli", "keys", "rotate")
        subprocess.run(command, env=child_environment(stack.environment), check=True, capture_output=True)

    return Place(stack.base_url, stack.mailbox_url, stack.org_slug, turn_epoch, stack.supervisor.watch)


def run_demo(
    place: Place,
    photos: dict[str, list[tuple[str, bytes]]],
    out: Path,
    say: Say,
    *,
    engine: EngineName = EngineName.STUDIO,
) -> DemoResult:
    """Tell the story to a running product and write its results into `out`.

    A photo that cannot be used, or a person without any good one, is reported; the others go on.

    Args:
        place: The running product.
        photos: Person → file name and content of each photo.
        out: Made if missing.
        say: Gets a line for each step.
        engine: What makes the portraits.

    Raises:
        DemoFailed: a step did not end as it must; says which and what the page said.
    """
    began = time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    staff, decliner = employees(photos, DECLINER)
    with ExitStack() as browsers:

        def browser() -> Browser:
            return browsers.enter_context(Browser(place.base_url, place.watch))

        admin = HrAdmin(browser(), place.org_slug, say)
        admin.sign_in()
        admin.set_brand(COMPANY_NAME)
        admin.set_style()
        admin.create_shoot(engine)
        admin.invite([*staff, decliner], out)
        links = _links(place, [*staff, decliner])
        say(f"{len(links)} invitations are in the mailbox, {place.mailbox_url}/")

        _decline(Employee(decliner, browser(), say), links, out)
        acting = [Employee(person, browser(), say) for person in staff]
        for one in acting:
            one.accept(links[one.person.email])
            one.agree(model=engine is EngineName.DIFFUSION)
            one.upload()
            one.submit()
        outcomes = [_result(one, out, say) for one in acting]
        report = _write(acting, outcomes, out)

        names = admin.download(out)
        say(f"HR sees {admin.counts()}; downloads {', '.join(names[:3])}{' …' if len(names) > 3 else ''}")
        leaving = next((one for one in reversed(acting) if _has_headshot(one, outcomes)), acting[-1])
        proof = _erase(place, leaving, admin, out, say)
    failures = {one.person.key: one.failure for one in acting if one.failure}
    fallbacks = {one.person.key: one.fallback for one in acting if one.fallback}
    return DemoResult(report, failures, fallbacks, proof, time.monotonic() - began)


def _links(place: Place, people: Sequence[Person]) -> dict[str, str]:
    """Wait for everybody's mail; return address → link."""
    waiting = {person.email for person in people}
    with (
        httpx.Client(base_url=place.mailbox_url, trust_env=False) as mailbox,
        patience(MAIL_PATIENCE_SECONDS, "The arrival of all invitations") as pause,
    ):
        while True:
            found = {
                address: link
                for mail in mailbox.get("/messages.json").raise_for_status().json()
                for link in mail["links"]
                if "/i/" in link
                for address in mail["to"]
            }
            if waiting <= found.keys():
                return found
            place.watch()
            pause()


def _decline(someone: Employee, links: dict[str, str], out: Path) -> None:
    someone.accept(links[someone.person.email])
    folder = out / someone.person.folder
    folder.mkdir(exist_ok=True)
    (folder / "avatar.png").write_bytes(someone.decline())
    someone.say(f"{someone.person.called} declines, which is fine, and gets an avatar with initials")


def _result(one: Employee, out: Path, say: Say) -> Outcome:
    """Wait for the studio, choose and download; say so where nothing came of it."""
    if one.submitted and one.follow():
        one.choose(out / one.person.folder)
        outcome = one.outcome()
        if one.fallback:
            refused = f"{outcome.refused} pictures of the image model are thrown away unseen: "
            say(f"{one.person.called} reads: {refused if outcome.refused else ''}“{one.fallback}”")
        say(f"{one.person.called} picks the headshot made from {outcome.report.source} and downloads it")
        return outcome
    say(f"{one.person.called} gets no headshot from these photos and is told why")
    return one.outcome()


def _has_headshot(one: Employee, outcomes: Sequence[Outcome]) -> bool:
    return any(it.report.person == one.person.key and it.report.source for it in outcomes)


def _write(acting: Sequence[Employee], outcomes: Sequence[Outcome], out: Path) -> Report:
    """Write the team's sheet and the report."""
    report = Report(
        people=tuple(outcome.report for outcome in outcomes),
        team=team_figures({outcome.report.person: outcome.gates for outcome in outcomes if outcome.gates}),
    )
    pairs: list[Pair] = []
    for one, outcome in zip(acting, outcomes, strict=True):
        if outcome.report.source is None or len(pairs) == MOST:
            continue
        before = decode(dict(one.person.photos)[outcome.report.source], working_side=SHEET_SIDE).pixels
        with Image.open(io.BytesIO((out / one.person.folder / "headshot.jpg").read_bytes())) as picture:
            pairs.append(Pair.of(one.person.key, before, np.asarray(picture.convert("RGB"))))
    if pairs:
        sheet = contact_sheet(pairs, COMPANY_NAME, report.team.people)
        (out / "team.jpg").write_bytes(encode(sheet, OutputFormat.JPEG))
    (out / "report.json").write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return report


def _erase(place: Place, leaving: Employee, admin: HrAdmin, out: Path, say: Say) -> Proof:
    """Let one employee erase everything; keep the certificate and check it offline.

    Raises:
        DemoFailed: something of the person was still there, or the certificate does not hold.
    """
    first = leaving.person.called
    address = admin.page_of(leaving.person)
    receipt = leaving.erase()
    say(f"{first} presses “erase everything”: key destroyed, signed out, link dead")
    if not leaving.is_locked_out() or admin.knows(leaving.person, address):
        raise DemoFailed(f"Something of {first} is still there after the erasure.")
    leaving.certificate(receipt, "PENDING")
    say("the certificate is signed and PENDING: a backup could still be opened")
    place.turn_epoch()
    content = leaving.certificate(receipt, "COMPLETE")
    say("the epoch key turns, no backup can be opened any more: COMPLETE")

    folder = out / "certificates"
    folder.mkdir(exist_ok=True)
    certificate = folder / f"{leaving.person.key[:LONGEST_KEY]}.pdf"
    certificate.write_bytes(content)
    keys = leaving.published_keys(place.org_slug)
    (folder / "keys.json").write_text(json.dumps(keys, indent=2) + "\n", encoding="utf-8")
    # From here on without any server: what an auditor does with the two files.
    verification = verify_file(certificate, keys)
    changed = bytearray(content)
    changed[len(changed) // 2] ^= 1
    tampered = verify_file(bytes(changed), keys)
    if not verification.ok or verification.status != "COMPLETE" or tampered.ok:
        raise DemoFailed("The certificate does not hold, or one with a changed byte does.")
    say("the certificate holds offline; with one byte changed it is rejected")
    return Proof(leaving.person.key, certificate, verification, tampered)

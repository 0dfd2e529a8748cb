"""Run the story: invite, let people live, cause trouble, judge; print figures and faults."""

from __future__ import annotations

import argparse
import csv
import io
import json
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from chaos import world as worlds
from chaos.judge import Judgement, judge
from chaos.load import Person, Story, Wish
from deploy.demo.admin import HrAdmin
from deploy.demo.browser import Browser
from deploy.local.processes import child_environment
from deploy.local.stack import COMPANY_NAME, COMPANY_SLUG

PHOTOS = Path(__file__).parents[1] / "photos"
SEED = 20_261  # any number will do; a stored one makes two runs comparable
WISHES = (Wish.HEADSHOT, Wish.HEADSHOT, Wish.ERASURE, Wish.HEADSHOT, Wish.DECLINE, Wish.WITHDRAW)
MAIL_PATIENCE_SECONDS = 1200.0


def run(
    *,
    seed: int = SEED,
    minutes: float = 5.0,
    people: int = 18,
    kill_every: float = 5.0,
    outage_seconds: float = 30.0,
    beside: Path | None = None,
    say: Callable[[str], None] = print,
) -> Judgement:
    """Tell the whole story once; return what is true afterwards.

    Args:
        seed: Of everything that is left to chance.
        minutes: How long there is trouble.
        people: How many take part.
        kill_every: Seconds between two `kill -9`; 0 for none.
        outage_seconds: How long each part is away; 0 for never.
        beside: Checkout of another release, which half of the processes are of.
        say: Gets a line for each trouble.
    """
    dice = random.Random(seed)
    with (
        tempfile.TemporaryDirectory(prefix="headshots-chaos-") as folder,
        worlds.running(Path(folder), say, beside) as world,
    ):
        stories = [
            Story(f"Person{n}", f"person{n}@northwind.example", WISHES[n % len(WISHES)])
            for n in range(people)
        ]
        _invite(world, stories)
        over = threading.Event()
        lives = [
            threading.Thread(target=_live, args=(world, story, random.Random(dice.random()), over))
            for story in stories
        ]
        for life in lives:
            life.start()
        troubles = worlds.plan(dice, minutes, outage_seconds=outage_seconds) if outage_seconds else []
        worlds.cause(world, troubles, dice, minutes, kill_every, say)
        say("everything is whole; waiting for the people")
        deadline = time.monotonic() + MAIL_PATIENCE_SECONDS
        while any(life.is_alive() for life in lives) and time.monotonic() < deadline:
            world.supervisor.watch()
            time.sleep(0.2)
        over.set()
        for life in lives:
            life.join(timeout=60)
        worlds.run_once(child_environment(world.environment), "keys", "rotate")
        found = judge(world, stories)
        if found.faults:
            _keep_logs(world, say)
        return found


def _invite(world: worlds.World, stories: list[Story]) -> None:
    with Browser(world.base_url, world.supervisor.watch) as browser:
        admin = HrAdmin(browser, COMPANY_SLUG, lambda _: None)
        admin.sign_in()
        admin.set_brand(COMPANY_NAME)
        admin.set_style()
        form = browser.get("/admin/shoots/new").form("/admin/shoots/new")
        shoot = browser.submit(form, {"name": "Under fire"}).path
        checked = browser.submit(
            browser.get(f"{shoot}/import").form("/import"), files={"roster": ("people.csv", _roster(stories))}
        )
        browser.submit(checked.form("/import/commit"))


def _roster(stories: list[Story]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("email", "first name", "last name"))
    for story in stories:
        writer.writerow((story.email, story.name, "Chaos"))
    return text.getvalue().encode()


def _live(world: worlds.World, story: Story, dice: random.Random, over: threading.Event) -> None:
    deadline = time.monotonic() + MAIL_PATIENCE_SECONDS
    link = ""
    while not link and time.monotonic() < deadline and not over.is_set():
        link = next(
            (
                one
                for mail in list(world.post.mails)
                if story.email in mail.to
                for one in mail.links
                if "/i/" in one
            ),
            "",
        )
        time.sleep(0.5)
    if not link:
        story.trouble = "no invitation came"
        return
    time.sleep(dice.uniform(0, 60))  # not everybody at once, as in an office
    who = dice.choice(sorted(folder for folder in PHOTOS.iterdir() if folder.is_dir()))
    photos = [
        (path.name, path.read_bytes()) for path in sorted(who.iterdir()) if path.suffix in {".jpg", ".png"}
    ]
    Person(story, link, photos, world.base_url, dice, over).live()


def _keep_logs(world: worlds.World, say: Callable[[str], None]) -> None:
    kept = Path(tempfile.mkdtemp(prefix="headshots-chaos-logs-"))
    for path in world.logs.glob("*.log"):
        (kept / path.name).write_bytes(path.read_bytes())
    say(f"the logs are in {kept}")


def main() -> int:
    """Read the options, run, print; return the exit status."""
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--people", type=int, default=18)
    parser.add_argument("--kill-every", type=float, default=5.0, help="seconds; 0 for no kills")
    parser.add_argument("--outage", type=float, default=30.0, help="seconds each outage lasts; 0 for none")
    parser.add_argument(
        "--beside", type=Path, help="checkout of another release; half of the processes are of it"
    )
    chosen = parser.parse_args()
    found = run(
        seed=chosen.seed,
        minutes=chosen.minutes,
        people=chosen.people,
        kill_every=chosen.kill_every,
        outage_seconds=chosen.outage,
        beside=chosen.beside.resolve() if chosen.beside else None,
        say=lambda line: print(line, file=sys.stderr, flush=True),
    )
    print(json.dumps({"figures": found.figures, "faults": found.faults}, indent=2))
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())

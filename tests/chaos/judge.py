"""What is true afterwards, seen from outside: by SQL as a superuser, in the bucket, in the mailbox, on the disk."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field

import httpx
import psycopg

from chaos.load import Story, Wish
from chaos.world import World
from compliance.log import checkpoint
from compliance.signing import PublishedLog
from compliance.verify import verify_file
from deploy.local.stack import COMPANY_SLUG

QUIET_SECONDS = 900.0  # the longest pause between two tries of owed work
MAGIC = {b"\xff\xd8\xff": "JPEG", b"\x89PNG": "PNG", b"RIFF": "WebP"}

# Where somebody may be at rest who wanted this.
ENDS = {
    Wish.HEADSHOT: {"approved", "delivered"},
    Wish.ERASURE: {"erased"},
    Wish.DECLINE: {"declined"},
    Wish.WITHDRAW: {"declined"},
}


@dataclass
class Judgement:
    """Figures, and everything that is not as it must be."""

    figures: dict[str, object] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def demand(self, holds: bool, what: str) -> None:
        """Note `what` as a fault unless it holds."""
        if not holds:
            self.faults.append(what)


def rest(world: World, judgement: Judgement) -> None:
    """Wait until no work is owed any more, at most `QUIET_SECONDS`, and say how long that took."""
    began = time.monotonic()
    left: list[tuple[object, ...]] = []
    while time.monotonic() - began < QUIET_SECONDS:
        world.supervisor.watch()
        with closing(_database(world)) as database:
            left = database.execute(
                "SELECT job, attempts, error_code, not_before FROM outbox WHERE done_at IS NULL AND failed_at IS NULL"
            ).fetchall()
        if not left:
            break
        time.sleep(0.5)
    judgement.figures["seconds until all work was done"] = round(time.monotonic() - began, 1)
    judgement.demand(not left, f"work left: {left[:5]}")


def judge(world: World, stories: Sequence[Story]) -> Judgement:
    """Hold everything against what must be, after `rest`."""
    verdict = Judgement()
    rest(world, verdict)
    _stories(stories, verdict)
    with closing(_database(world)) as database:
        _work(database, verdict)
        _people(database, stories, verdict)
        _objects(database, world, verdict)
        _log(database, world, verdict)
    _mails(world, verdict)
    _certificates(world, stories, verdict)
    _disk(world, verdict)
    verdict.figures["processes killed"] = dict(Counter(world.kills))
    return verdict


def _database(world: World) -> psycopg.Connection[tuple[object, ...]]:
    address = world.services.superuser_url(world.services.databases.name)
    return psycopg.connect(address.replace("postgresql+psycopg://", "postgresql://"), autocommit=True)


def _stories(stories: Sequence[Story], verdict: Judgement) -> None:
    verdict.figures["people"] = dict(Counter(story.wish.value for story in stories))
    for story in stories:
        verdict.demand(story.ended, f"{story.name} ({story.wish}) got to {story.steps[-1:]}: {story.trouble}")


def _work(database: psycopg.Connection[tuple[object, ...]], verdict: Judgement) -> None:
    done = database.execute("SELECT count(*) FROM outbox WHERE done_at IS NOT NULL").fetchone()
    verdict.figures["jobs done"] = done[0] if done else 0
    # Work about somebody who went meanwhile ends so, rightly.
    rightly = {"consent_required", "key_erased", "artifact_gone"}
    failed = database.execute(
        "SELECT job, error_code, count(*) FROM outbox WHERE failed_at IS NOT NULL GROUP BY 1, 2"
    ).fetchall()
    verdict.figures["jobs ended by their person's leaving"] = sum(
        int(str(number)) for _, code, number in failed if code in rightly
    )
    wrong = [row for row in failed if row[1] not in rightly]
    verdict.demand(not wrong, f"given up: {wrong}")


def _people(
    database: psycopg.Connection[tuple[object, ...]], stories: Sequence[Story], verdict: Judgement
) -> None:
    states = Counter(str(state) for (state,) in database.execute("SELECT state FROM participations"))
    verdict.figures["participations"] = dict(states)
    legal = set().union(*(ENDS[story.wish] for story in stories if story.ended))
    verdict.demand(set(states) <= legal, f"states at rest: {dict(states)}")
    erased = states.get("erased", 0)
    wanted = sum(story.wish is Wish.ERASURE and story.ended for story in stories)
    verdict.demand(erased == wanted, f"{erased} erased, {wanted} wanted it")
    doubled = database.execute(
        "SELECT participation_id, count(*) FROM headshots WHERE rank = 0 GROUP BY 1 HAVING count(*) > 1"
    ).fetchall()
    verdict.demand(not doubled, f"rendered twice: {len(doubled)}")
    twice = database.execute(
        "SELECT member_id, upload_key, count(*) FROM photos GROUP BY 1, 2 HAVING count(*) > 1"
    ).fetchall()
    verdict.demand(not twice, f"a photo stored twice: {len(twice)}")
    unproven = database.execute(
        "SELECT count(*) FROM erasures e WHERE NOT EXISTS"
        " (SELECT 1 FROM certificates c WHERE c.erasure_id = e.id AND c.status = 'COMPLETE')"
    ).fetchone()
    verdict.demand(unproven == (0,), f"erasures without a complete certificate: {unproven}")


def _objects(database: psycopg.Connection[tuple[object, ...]], world: World, verdict: Judgement) -> None:
    rows = {
        str(name)
        for (name,) in database.execute("SELECT object_name FROM artifacts WHERE destroyed_at IS NULL")
    }
    objects = {name.removeprefix("vault/") for name in world.s3.names() if name.startswith("vault/objects/")}
    verdict.figures["rows"], verdict.figures["objects"] = len(rows), len(objects)
    verdict.demand(rows <= objects, f"{len(rows - objects)} rows without their object")
    # The sweep takes these after a day; a process killed between object and row leaves them.
    verdict.figures["objects that wait for the sweep"] = len(objects - rows)


def _log(database: psycopg.Connection[tuple[object, ...]], world: World, verdict: Judgement) -> None:
    keys = httpx.get(f"{world.base_url}/trust/{COMPANY_SLUG}/keys.json", trust_env=False, timeout=30).json()
    trusted = [PublishedLog.model_validate(log).key for log in keys["logs"]]
    leaves = [
        hashlib.sha256(b"\x00" + bytes(leaf)).digest()  # type: ignore[call-overload]
        for (leaf,) in database.execute(
            "SELECT e.leaf FROM log_leaves l JOIN audit_events e ON e.id = l.event_id ORDER BY l.position"
        )
    ]
    loose = database.execute("SELECT count(*) FROM audit_events WHERE NOT sequenced").fetchone()
    verdict.demand(loose == (0,), f"events outside the log: {loose}")
    signed = database.execute("SELECT size, note FROM checkpoints ORDER BY size").fetchall()
    verdict.figures["events in the log"], verdict.figures["checkpoints"] = len(leaves), len(signed)
    for size, note in signed:
        body = checkpoint.verify(str(note), trusted)
        verdict.demand(
            body.size == size and body.root == _root(leaves[: body.size]), f"checkpoint {size} does not hold"
        )
    verdict.demand(bool(signed) and signed[-1][0] == len(leaves), "the newest checkpoint lacks events")


def _root(leaves: Sequence[bytes]) -> bytes:
    """The Merkle tree hash of RFC 6962, 2.1, written apart from the product's own."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + _root(leaves[:split]) + _root(leaves[split:])).digest()


def _mails(world: World, verdict: Judgement) -> None:
    ids = Counter(world.post.ids)
    verdict.figures["mails"] = len(ids)
    # A process killed between the server's answer and its own note sends once more, under the same id.
    verdict.figures["mails handed over twice, under one Message-ID"] = sum(n - 1 for n in ids.values())
    each = dict(zip(world.post.ids, world.post.mails, strict=True))
    about = Counter((mail.to, mail.subject) for mail in each.values())
    verdict.demand(
        max(about.values(), default=1) == 1, f"mails doubled: {[n for n in about.values() if n > 1]}"
    )


def _certificates(world: World, stories: Sequence[Story], verdict: Judgement) -> None:
    proven = 0
    with httpx.Client(base_url=world.base_url, trust_env=False, timeout=60) as client:
        keys = client.get(f"/trust/{COMPANY_SLUG}/keys.json").json()
        for story in stories:
            if not story.receipt:
                continue
            standing = client.get(f"{story.receipt}.json").json()
            verdict.demand(standing["status"] == "COMPLETE", f"{story.name}'s proof is {standing['status']}")
            if standing["status"] == "COMPLETE":
                found = verify_file(client.get(standing["certificate_url"]).content, keys)
                verdict.demand(
                    found.ok, f"{story.name}'s certificate: {json.dumps([str(c) for c in found.checks])}"
                )
                proven += found.ok
    verdict.figures["certificates verified"] = proven


def _disk(world: World, verdict: Judgement) -> None:
    left = [path for path in world.temp.rglob("*") if path.is_file()]
    verdict.figures["temporary files left"] = len(left)
    pictures = [path.name for path in left if any(path.read_bytes().startswith(sign) for sign in MAGIC)]
    verdict.demand(not pictures, f"pictures on the disk: {pictures}")
    words = [story_word for story_word in ("@northwind.example",) if _logged(world, story_word)]
    verdict.demand(not words, f"in a log: {words}")


def _logged(world: World, word: str) -> bool:
    return any(word.encode() in path.read_bytes() for path in world.logs.glob("*.log"))

"""The product's own processes on loopback, each thing outside them at the end of a cable."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from servers.cable import Cable, Way
from servers.s3 import S3
from servers.smtp import PostOffice, serving
from sqlalchemy import make_url

from deploy.local.postgres import PORT
from deploy.local.processes import Child, Supervisor, child_environment, free_port, python_module, wait_ready
from deploy.local.services import LocalServices
from deploy.local.stack import environment
from deploy.wsgi import web_command

BUCKET = "headshots"
Say = Callable[[str], None]


@dataclass
class World:
    """Everything that runs.

    Attributes:
        base_url: The door before both web processes.
        cables: Part → its cable.
        temp: The only folder for temporary files of the product's processes.
    """

    base_url: str
    environment: dict[str, str]
    services: LocalServices
    supervisor: Supervisor
    cables: dict[str, Cable]
    s3: S3
    post: PostOffice
    temp: Path
    logs: Path
    names: tuple[str, ...]
    kills: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def kill(self, name: str) -> None:
        """End a process without a word, and everything it started."""
        try:
            os.killpg(self.supervisor.pid(name), signal.SIGKILL)
        except ProcessLookupError:
            return  # between its death and its next start
        self.kills.append(name)

    def turn(self, part: str, way: Way) -> None:
        """Let the cable of `part` be so."""
        self.cables[part].turn(way)


@contextmanager
def running(home: Path, say: Say, beside: Path | None = None) -> Iterator[World]:
    """Start two web processes, two workers and a scheduler, with everything they need; stop them at the end.

    Args:
        home: Where everything lies.
        say: Gets what happens to the processes.
        beside: Checkout of another release, with its `.venv`, that the second web process and worker are of.
    """

    def of_release(number: int, command: list[str]) -> tuple[str, ...]:
        if beside is None or number == 1:
            return tuple(command)
        return ("env", "-C", str(beside), str(beside / ".venv" / "bin" / "python"), *command[1:])

    temp = home / "tmp"
    temp.mkdir(parents=True)
    with ExitStack() as stack:
        services = stack.enter_context(LocalServices(home, durable=False))
        s3 = stack.enter_context(S3(BUCKET))
        post = PostOffice()
        mail_port = stack.enter_context(serving(post))
        socket_path = make_url(services.databases.app).query["host"]
        postgres = f"{socket_path}/.s.PGSQL.{PORT}"
        redis_socket = _redis_socket(services)
        web_ports = (free_port(), free_port())
        cables = {
            "database": stack.enter_context(Cable(postgres)),
            "keys": stack.enter_context(Cable(postgres)),
            "redis": stack.enter_context(Cable(redis_socket)),
            "storage": stack.enter_context(Cable(("127.0.0.1", s3.port))),
            "mail": stack.enter_context(Cable(("127.0.0.1", mail_port))),
        }
        door = stack.enter_context(Cable([("127.0.0.1", port) for port in web_ports]))
        values = environment(home, services, f"http://127.0.0.1:{door.port}", cables["mail"].port, test=True)
        values |= {
            "HEADSHOTS_DATABASE_URL": _through(services.databases.app, cables["database"]),
            "HEADSHOTS_KEYS_DATABASE_URL": _through(services.databases.keys, cables["keys"]),
            "HEADSHOTS_REDIS_URL": f"redis://127.0.0.1:{cables['redis'].port}/0",
            "HEADSHOTS_STORAGE_URL": f"s3://{BUCKET}/vault",
            "TMPDIR": str(temp),
            **s3.environment(port=cables["storage"].port),
        }
        child = child_environment(values)
        logs = home / "logs"
        supervisor = stack.enter_context(Supervisor(logs, say=say, each_tick=services.ensure_running))
        run_once(child, "migrate")
        run_once(child, "seed-demo")
        names = []
        for number, port in enumerate(web_ports, start=1):
            # Another release may start its server in another way, which its own command knows.
            by_hand = python_module("deploy.cli", "web", "--bind", f"127.0.0.1:{port}", "--workers", "1")
            command = of_release(number, by_hand if beside else web_command(f"127.0.0.1:{port}"))
            supervisor.start(Child(f"web-{number}", command, child))
            names.append(f"web-{number}")
        for number in (1, 2):
            command = of_release(number, python_module("deploy.cli", "worker"))
            supervisor.start(Child(f"worker-{number}", command, child, patience=30))
            names.append(f"worker-{number}")
        supervisor.start(Child("scheduler", tuple(python_module("deploy.cli", "scheduler")), child))
        for port in web_ports:
            wait_ready(f"http://127.0.0.1:{port}/readyz", timeout=120)
        yield World(
            f"http://127.0.0.1:{door.port}",
            values,
            services,
            supervisor,
            cables,
            s3,
            post,
            temp,
            logs,
            (*names, "scheduler"),
        )


def run_once(environment: dict[str, str], *command: str) -> str:
    """Run `headshots COMMAND` to its end; return what it printed.

    Raises:
        CalledProcessError: it failed.
    """
    import subprocess

    done = subprocess.run(
        python_module("deploy.cli", *command), env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout


def _through(url: str, cable: Cable) -> str:
    changed = make_url(url).set(host="127.0.0.1", port=cable.port, query={})
    return changed.render_as_string(hide_password=False)


def _redis_socket(services: LocalServices) -> str:
    return services.redis_url.removeprefix("unix://").split("?")[0]


# --- The plan of trouble ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trouble:
    """One outage: what, how, from when for how long (seconds)."""

    part: str
    way: Way
    start: float
    seconds: float


def plan(dice: random.Random, minutes: float, *, outage_seconds: float) -> list[Trouble]:
    """Return outages of every part, one after another in a random order, each some way that networks fail."""
    parts = ["database", "keys", "redis", "storage", "mail"]
    ways = [Way.CUT, Way.SILENT, Way.SLOW]
    pairs = [(part, way) for part in parts for way in ways]
    dice.shuffle(pairs)
    troubles, moment = [], 10.0
    while moment + outage_seconds < minutes * 60:
        part, way = pairs.pop(0)
        pairs.append((part, way))
        troubles.append(Trouble(part, way, moment, outage_seconds))
        moment += outage_seconds + dice.uniform(5, 10)
    return troubles


def cause(
    world: World, troubles: list[Trouble], dice: random.Random, minutes: float, kill_every: float, say: Say
) -> None:
    """Let the plan happen, and kill a process every `kill_every` seconds; then make everything whole."""
    began = time.monotonic()
    next_kill = kill_every
    pending, current = list(troubles), None
    while (moment := time.monotonic() - began) < minutes * 60:
        world.supervisor.watch()
        if current and moment >= current.start + current.seconds:
            world.turn(current.part, Way.WHOLE)
            say(f"{moment:5.0f} s  {current.part} is whole again")
            current = None
        if current is None and pending and moment >= pending[0].start:
            current = pending.pop(0)
            world.turn(current.part, current.way)
            say(f"{moment:5.0f} s  {current.part}: {current.way} for {current.seconds:.0f} s")
        if kill_every and moment >= next_kill:
            world.kill(dice.choice(world.names))
            next_kill += kill_every
        time.sleep(0.2)
    for cable in world.cables.values():
        cable.turn(Way.WHOLE)


def ready(world: World) -> bool:
    """Whether the door answers that pages can be served."""
    try:
        return httpx.get(f"{world.base_url}/readyz", timeout=10, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False

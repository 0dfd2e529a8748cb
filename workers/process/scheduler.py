"""The one process that gives work its time: relay, log sequencer, epoch, retention, sweep."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from compliance import erasure, retention, strays
from compliance.log import sequencer
from core import locks, logs, relay
from core.clock import now
from core.db import demand_sessions
from core.portraits import engines
from core.settings import settings
from core.vault import vault


@dataclass
class Duty:
    """Something done every so often; a failure is logged and tried again next time."""

    name: str
    every: timedelta
    do: Callable[[], object]
    due: datetime = field(default_factory=now)

    def run_if_due(self) -> None:
        """Do it if it is time."""
        if now() < self.due:
            return
        try:
            locks.again(self.do)
        except Exception as error:  # noqa: BLE001 - one duty's trouble must not stop the others
            logs.logger().error("duty_failed", job=self.name, exc_info=error)
        self.due = now() + self.every


def turn_if_due() -> None:
    """Turn the epoch when the current one is old enough, and complete what waited for that."""
    _, opened_at = vault().keys.current_epoch()
    if now() - opened_at >= timedelta(hours=settings().epoch_hours):
        erasure.turn_epoch()
    else:
        erasure.settle_all()


def duties() -> list[Duty]:
    """Return everything that happens by the clock."""
    return [
        # First, before anything is served from a restored backup.
        Duty("replay_ledger", timedelta(hours=1), erasure.replay_ledger),
        Duty("sequence", timedelta(seconds=2), sequencer.sequence_all),
        Duty("epoch", timedelta(seconds=5), turn_if_due),
        Duty("end_waiting", timedelta(minutes=10), engines.end_waiting_all),
        Duty("retention", timedelta(hours=1), retention.sweep_all),
        # After the ledger has been replayed: what is marked anew counts as one and the same time.
        Duty("tie", timedelta(hours=1), lambda: vault().ties.turn()),
        Duty("orphans", timedelta(hours=6), strays.sweep),
    ]


def run() -> None:
    """Run until SIGTERM or SIGINT."""
    logs.configure()
    demand_sessions()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    relaying = threading.Thread(target=relay.run, args=(stop,), name="relay", daemon=True)
    relaying.start()
    todo = duties()
    while not stop.wait(0.5):
        for duty in todo:
            duty.run_if_due()
    relaying.join(timeout=10)

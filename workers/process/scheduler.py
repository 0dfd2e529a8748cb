"""The process that gives work its time: relay, log sequencer, epoch, retention, sweep.

Each duty has a thread of its own and waits by a clock that nobody sets, so none waits for another's work and none for
a wall clock that was put back.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from compliance import (
    attestation_letters,
    ending,
    erasure,
    keyless,
    recall_letters,
    removals,
    retention,
    sealing,
    strays,
    withdrawals,
)
from compliance.breaches import reminders
from compliance.certificate import keeping
from compliance.log import daily, sequencer, witnesses
from compliance.requests import keeping as requests
from compliance.statement import issuing
from core import locks, logs, relay
from core.clock import now
from core.db import DirectoryEmpty, demand_sessions
from core.observe import metrics
from core.observe.figures import EVERY_SECONDS, figures
from core.observe.server import served
from core.people import directory
from core.portraits import engines
from core.settings import settings
from core.shoots import reminding, renewal
from core.vault import vault
from workers.process.leader import lead
from workers.process.steady import TOLERANCE, SteadyClock

STOP_SECONDS = (
    5.0  # what a duty may take to end; its transaction is rolled back when the process goes before it
)


@dataclass(frozen=True)
class Duty:
    """Something done every so often; a failure is logged and tried again next time.

    Attributes:
        every: from the end of one time to the beginning of the next.
        irreversible: it acts on what the wall clock says and cannot be undone, so it waits while that cannot be
            believed.
    """

    name: str
    every: timedelta
    do: Callable[[], object]
    irreversible: bool = False

    def keep(self, over: threading.Event, clock: SteadyClock) -> None:
        """Do it at once and then every so often, until `over` is set."""
        while not over.is_set():
            self._once(clock)
            over.wait(self.every.total_seconds())

    def _once(self, clock: SteadyClock) -> None:
        try:
            if self.irreversible and not clock.trusted():
                logs.logger().warning("duty_waits_for_the_clock", job=self.name)
                return
            locks.again(self.do)
        except (
            DirectoryEmpty
        ):  # after a crash of the server; whoever fills it again says so, once for all duties
            logs.logger().info("duty_waits_for_the_directory", job=self.name)
        except Exception as error:  # noqa: BLE001 - a duty's trouble must not be its last
            logs.logger().error("duty_failed", job=self.name, exc_info=error)
            metrics.DUTY_FAILURES.labels(self.name).inc()
        else:
            metrics.DUTY_SUCCESS.labels(self.name).set_to_current_time()


class EpochAge:
    """How long the epoch has been open: by the wall clock, or by this process's own where that says more.

    An epoch that seems to begin in the future was opened by a clock that has been put back since; nobody knows its age.
    """

    def __init__(self, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._elapsed = elapsed
        self._seen: tuple[int, float] | None = None

    def turn_if_due(self) -> None:
        """Turn the epoch when the current one is old enough, and complete what waited for that."""
        number, opened_at = vault().keys.current_epoch()
        if self._seen is None or self._seen[0] != number:
            self._seen = (number, self._elapsed())
        limit = timedelta(hours=settings().epoch_hours)
        age = now() - opened_at
        if age < -TOLERANCE or max(age, timedelta(seconds=self._elapsed() - self._seen[1])) >= limit:
            erasure.turn_epoch()
        else:
            erasure.settle_all()


def duties() -> list[Duty]:
    """Return everything that happens by the clock."""
    return [
        Duty("directory", timedelta(seconds=2), directory.rebuild),
        Duty("seal", timedelta(hours=1), sealing.seal_all),
        Duty("replay_ledger", timedelta(hours=1), erasure.replay_ledger),
        Duty("figures", timedelta(seconds=EVERY_SECONDS), figures().take),
        Duty("replay_withdrawals", timedelta(hours=1), withdrawals.replay, irreversible=True),
        Duty("replay_removals", timedelta(hours=1), removals.replay, irreversible=True),
        Duty("sequence", timedelta(seconds=2), sequencer.sequence_all),
        Duty("keep_certificates", timedelta(hours=1), keeping.keep_all),
        Duty("statements", timedelta(hours=1), issuing.issue_all, irreversible=True),
        Duty("checkpoint_mails", timedelta(hours=1), daily.owe_all),
        Duty("witnesses", timedelta(minutes=1), witnesses.ask_all),
        Duty("ending_mails", timedelta(hours=1), ending.owe_all),
        Duty("reminders", timedelta(minutes=10), reminding.remind_due_all, irreversible=True),
        Duty("renewals", timedelta(hours=1), renewal.begin_due_all, irreversible=True),
        Duty("recall_mails", timedelta(hours=1), recall_letters.owe_all),
        Duty("breach_mails", timedelta(minutes=30), reminders.owe_all),
        Duty("attestation_mails", timedelta(hours=1), attestation_letters.remind),
        Duty("requests", timedelta(hours=1), requests.sweep_all, irreversible=True),
        Duty("watch_logs", timedelta(hours=1), sequencer.watch_all),
        Duty("epoch", timedelta(seconds=5), EpochAge().turn_if_due),
        Duty("end_waiting", timedelta(minutes=10), engines.end_waiting_all, irreversible=True),
        Duty("retention", timedelta(hours=1), retention.sweep_all, irreversible=True),
        Duty("tie", timedelta(hours=1), lambda: vault().ties.turn()),
        Duty("orphans", timedelta(hours=6), strays.sweep, irreversible=True),
        Duty("unused_keys", timedelta(hours=6), keyless.sweep, irreversible=True),
    ]


def serve(over: threading.Event, todo: Sequence[Duty], clock: SteadyClock) -> None:
    """Relay, and keep each duty, until `over` is set."""
    threads = [threading.Thread(target=relay.run, args=(over,), name="relay", daemon=True)] + [
        threading.Thread(target=duty.keep, args=(over, clock), name=duty.name, daemon=True) for duty in todo
    ]
    for thread in threads:
        thread.start()
    over.wait()
    deadline = time.monotonic() + STOP_SECONDS
    for thread in threads:
        thread.join(timeout=max(0.0, deadline - time.monotonic()))


def run() -> None:
    """Run until SIGTERM or SIGINT; while another scheduler leads, wait to follow it."""
    logs.configure()
    demand_sessions()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    clock = SteadyClock()
    with served():
        lead(lambda over: serve(over, duties(), clock), stop)

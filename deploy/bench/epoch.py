"""What turning the epoch costs: every key that there is moves under the new epoch's, and nobody waits for that."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

KEYS_A_PERSON = 6
AT_ONCE = 10_000  # keys made in one statement
MOST = 60.0  # seconds for 100,000 people
LOOK_SECONDS = 0.05


def bench_turn(report: Callable[[dict[str, Any], str], None], people: int) -> None:
    """Make keys for so many people in the product's key store, turn the epoch, and make single ones meanwhile."""
    from core.ids import new_id
    from core.vault import vault

    keys = vault().keys
    for start in range(0, people * KEYS_A_PERSON, AT_ONCE):
        keys.create([new_id() for _ in range(min(AT_ONCE, people * KEYS_A_PERSON - start))])
    over, longest = threading.Event(), [0.0]

    def make() -> None:
        while not over.wait(LOOK_SECONDS):
            began = time.perf_counter()
            keys.create([new_id()])
            longest[0] = max(longest[0], time.perf_counter() - began)

    maker = threading.Thread(target=make)
    maker.start()
    began = time.perf_counter()
    moved = keys.turn_epoch().rewrapped
    seconds = time.perf_counter() - began
    over.set()
    maker.join()
    report(
        {
            "figure": "turn_epoch",
            "keys": moved,
            "seconds": round(seconds, 2),
            "longest_wait": round(longest[0], 3),
        },
        f"epoch turned with {moved:,} keys ({KEYS_A_PERSON} a person) in {seconds:.1f} s (to reach: ≤ {MOST:.0f} s for 100,000 people); who "
        f"made a key meanwhile waited {longest[0]:.2f} s at most",
    )

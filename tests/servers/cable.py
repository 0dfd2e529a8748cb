"""A cable between the product and something outside it, that can be pulled: a TCP relay on loopback that obeys.

It carries bytes to an address or to a Unix socket, so that Postgres, Redis, an object store and a mail
server fail in the ways that networks fail, without being stopped themselves.
"""

from __future__ import annotations

import contextlib
import itertools
import select
import socket
import struct
import threading
import time
from enum import StrEnum

CHUNK = 65_536
# Linger on with no time: closing sends RST, and nothing that was on its way arrives (socket(7), SO_LINGER).
RESET = struct.pack("ii", 1, 0)
SLOW_SECONDS = 0.5  # before each chunk of a slow cable
LOOK_SECONDS = 0.1

Target = tuple[str, int] | str


class Way(StrEnum):
    """How the cable is."""

    WHOLE = "whole"
    CUT = "cut"  # connections are reset, new ones are refused by a reset
    SILENT = "silent"  # nothing passes and nobody says goodbye, as when a host loses its power
    SLOW = "slow"


class Cable:
    """Listens on loopback and carries what comes to `target`.

    Args:
        target: (host, port), or the path of a Unix socket; of several the next one that answers is taken in turn.
    """

    def __init__(self, target: Target | list[Target]) -> None:
        self._targets = target if isinstance(target, list) else [target]
        self._turns = itertools.count()
        self._way = Way.WHOLE
        self._ends: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def turn(self, way: Way) -> None:
        """Let the cable be so from now on; what was cut or silent before does not come back to life."""
        with self._lock:
            before, self._way = self._way, way
        if way is Way.CUT or (before is Way.SILENT and way is not Way.SILENT):
            self._reset_all()

    def close(self) -> None:
        """End every connection and listen no more."""
        self._over.set()
        self._listener.close()
        self._reset_all()

    def __enter__(self) -> Cable:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with self._lock:
            cut = self._way is Way.CUT
            if not cut:
                self._ends.add(near)
        if cut:
            _reset(near)
            return
        far: socket.socket | None = None
        try:
            while self._way is Way.SILENT and not self._over.is_set():
                time.sleep(LOOK_SECONDS)
                if near.fileno() < 0:
                    return
            far = self._reach()
            with self._lock:
                self._ends.add(far)
            self._carry(near, far)
        except (OSError, ValueError):
            pass  # either end has gone, which the other one learns below
        finally:
            with self._lock:
                left = self._ends & {near, far}
                self._ends -= left
            for end in left:  # the others are being reset, and to close them here would say goodbye first
                _close(end)

    def _reach(self) -> socket.socket:
        turn = next(self._turns)
        for step in range(len(self._targets)):
            target = self._targets[(turn + step) % len(self._targets)]
            try:
                if isinstance(target, str):
                    far = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                    far.connect(target)
                    return far
                return socket.create_connection(target, timeout=10)
            except OSError:
                if step == len(self._targets) - 1:
                    raise
        raise OSError("no target")

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        open_ways = {near: far, far: near}
        while open_ways and not self._over.is_set():
            if self._way is Way.SILENT:
                time.sleep(LOOK_SECONDS)
                if near.fileno() < 0 or far.fileno() < 0:
                    return
                continue
            readable, _, _ = select.select(list(open_ways), [], [], LOOK_SECONDS)
            for source in readable:
                if self._way is Way.SILENT:  # fell silent while this waited
                    break
                if self._way is Way.SLOW:
                    time.sleep(SLOW_SECONDS)
                chunk = source.recv(CHUNK)
                if not chunk:
                    with contextlib.suppress(OSError):
                        open_ways[source].shutdown(socket.SHUT_WR)
                    del open_ways[source]
                    continue
                open_ways[source].settimeout(60)
                open_ways[source].sendall(chunk)

    def _reset_all(self) -> None:
        with self._lock:
            ends, self._ends = self._ends, set()
        for end in ends:
            _reset(end)


def _reset(end: socket.socket) -> None:
    # Without a shutdown, which would say goodbye.
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        end.close()


def _close(end: socket.socket) -> None:
    # A thread that waits in a call on it wakes up from the shutdown, not from the close.
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        end.close()

"""Somebody with a phone, in Chromium, and the photos on it."""

from __future__ import annotations

import contextlib
import io
import socket
import struct
import threading
import time
from typing import Any

import numpy as np
from PIL import Image, ImageCms
from playwright.sync_api import BrowserContext, Page
from skimage import data

WIDTH, HEIGHT = 390, 844  # CSS pixels of the most common phones
_P3_TO_D50 = {  # what a Display P3 profile says of its primaries, XYZ at D50
    b"rXYZ": (0.51512, 0.24120, -0.00105),
    b"gXYZ": (0.29198, 0.69225, 0.04189),
    b"bXYZ": (0.15710, 0.06657, 0.78407),
}


def accept(person: Any, phone: BrowserContext) -> Page:
    """Open the link and start."""
    page = phone.new_page()
    page.goto(person.link())
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/me/consent*")
    return page


def to_photos(person: Any, phone: BrowserContext) -> Page:
    """Agree to a headshot, up to the page that takes photos."""
    page = accept(person, phone)
    page.locator("#photo").check()
    page.get_by_role("button", name="I agree to what I ticked").click()
    page.wait_for_url("**/me/photos*")
    return page


def choose(page: Page, *contents: bytes) -> None:
    """Take files from the chooser; `IMG_1.jpg` is the first."""
    with page.expect_file_chooser() as opened:
        page.get_by_text("Choose photos").click()
    opened.value.set_files(
        [
            {"name": f"IMG_{number}.jpg", "mimeType": "image/jpeg", "buffer": content}
            for number, content in enumerate(contents, 1)
        ]
    )


def snapshot(width: int, height: int, **options: object) -> bytes:
    """A JPEG of a scene with every colour, as a camera of so many pixels writes it."""
    scene = Image.fromarray(data.astronaut()).resize((width, height), Image.Resampling.BICUBIC)
    target = io.BytesIO()
    scene.save(target, "JPEG", **{"quality": 92, **options})  # type: ignore[arg-type]
    return target.getvalue()


def grainy(width: int, height: int) -> bytes:
    """A JPEG that takes its time on a poor connection: 1 byte a pixel, nearly."""
    noise = np.random.default_rng(5).integers(0, 255, (height, width, 3), np.uint8)
    target = io.BytesIO()
    Image.fromarray(noise).save(target, "JPEG", quality=80)
    return target.getvalue()


def display_p3() -> bytes:
    """The profile of iPhones' photos: sRGB's with other primaries."""
    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    (count,) = struct.unpack_from(">I", made, 128)
    for entry in range(132, 132 + 12 * count, 12):
        tag, at, _ = struct.unpack_from(">4sII", made, entry)
        for number, value in enumerate(_P3_TO_D50.get(tag, ())):
            struct.pack_into(">i", made, at + 8 + 4 * number, round(value * 65536))
    return bytes(made)


class Line:
    """The phone's connection to a server on this machine: of a given speed, and it can be cut in the middle.

    Attributes:
        address: where the browser finds the server.
        sent: bytes that went to the server so far.
        speed: bytes a second towards the server, all connections together.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._listens = socket.create_server(("127.0.0.1", 0))
        self._listens.setsockopt(
            socket.SOL_SOCKET, socket.SO_RCVBUF, 8192
        )  # what is under way is not counted
        self._open: set[socket.socket] = set()
        self._up = True
        self.address = f"http://127.0.0.1:{self._listens.getsockname()[1]}"
        self.sent = 0
        self.speed = 100_000_000
        threading.Thread(target=self._answer, daemon=True).start()

    def cut(self) -> None:
        """Lose every connection and take no other."""
        self._up = False
        self._lose()

    def mend(self) -> None:
        """Take connections again."""
        self._up = True

    def close(self) -> None:
        """End for good."""
        self._listens.close()
        self._lose()

    def _lose(self) -> None:
        for one in list(self._open):
            _end(one)

    def _answer(self) -> None:
        while True:
            try:
                here, _ = self._listens.accept()
            except OSError:
                return
            if not self._up:
                here.close()
                continue
            there = socket.create_connection(("127.0.0.1", self._port))
            self._open |= {here, there}
            threading.Thread(target=self._carry, args=(here, there, True), daemon=True).start()
            threading.Thread(target=self._carry, args=(there, here, False), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, counts: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(4096):
                if counts:
                    time.sleep(len(piece) / self.speed)
                    self.sent += len(piece)
                target.sendall(piece)
        for one in (source, target):
            _end(one)
            self._open.discard(one)


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)  # which wakes whoever waits for it
    one.close()

"""One address behind which the device can be exchanged: a TCP proxy on 127.0.0.1 whose other end moves."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock, Thread


class Switch:
    """``port`` is where clients connect; nobody is behind it while ``to`` is 0."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._lock = Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [Thread(target=self._serve, name="switch")]
        self._threads[0].start()

    def turn(self, to: int) -> None:
        """Another device is there from now on; whoever was connected to the old one is cut off."""
        with self._lock:
            self._to = to
            for one in self._open:
                _end(one)
            self._open.clear()

    def close(self) -> None:
        _end(self._listener)
        self.turn(0)
        for thread in self._threads:
            thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                try:
                    device = socket.create_connection(("127.0.0.1", self._to), 5) if self._to else None
                except OSError:
                    device = None
                if device is None:
                    _end(client)
                    continue
                device.settimeout(None)
                self._open |= {client, device}
            for source, target in ((client, device), (device, client)):
                thread = Thread(target=self._pump, args=(source, target), name="switch")
                self._threads.append(thread)
                thread.start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                target.sendall(data)
        with self._lock:
            for one in (source, target):
                _end(one)
                self._open.discard(one)


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextmanager
def switch(to: int) -> Iterator[Switch]:
    made = Switch(to)
    try:
        yield made
    finally:
        made.close()

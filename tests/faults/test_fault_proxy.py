"""The proxy of the fault tests does to a connection exactly what it is told."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread

import pytest

from tests.peers.fault_proxy import FaultProxy, fault_proxy

PATIENCE_S = 5.0


class Echo:
    """A server that answers every byte with itself, after its own letter."""

    def __init__(self, letter: bytes) -> None:
        self._letter = letter
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._threads.append(Thread(target=self._serve, args=(client,)))
                self._threads[-1].start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            client.sendall(self._letter)
            while data := client.recv(65_536):
                client.sendall(data)

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE_S)


@pytest.fixture
def echo() -> Iterator[Echo]:
    made = Echo(b"a")
    yield made
    made.close()


@pytest.fixture
def link(echo: Echo) -> Iterator[FaultProxy]:
    with fault_proxy(echo.port) as made:
        yield made


@contextmanager
def client_of(link: FaultProxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", link.port), PATIENCE_S) as client:
        yield client


def exactly(client: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size and (more := client.recv(size - len(got))):
        got += more
    return got


def is_silent(client: socket.socket, seconds: float = 0.2) -> bool:
    client.settimeout(seconds)
    try:
        return not client.recv(1) and False
    except TimeoutError:
        return True
    finally:
        client.settimeout(PATIENCE_S)


def until(condition: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, "it never became so"
        time.sleep(0.01)


def test_that_bytes_pass_both_ways_and_are_counted(link: FaultProxy) -> None:
    data = bytes(range(256)) * 4_000
    with client_of(link) as client:
        assert exactly(client, 1) == b"a"
        sender = Thread(target=client.sendall, args=(data,))
        sender.start()
        assert exactly(client, len(data)) == data
        sender.join()
        until(lambda: link.counts.down == len(data) + 1)
        assert (link.counts.up, link.counts.connections, link.open) == (len(data), 1, 1)
    until(lambda: link.open == 0)


def test_that_the_end_of_a_server_reaches_the_client(link: FaultProxy, echo: Echo) -> None:
    with client_of(link) as client:
        assert exactly(client, 1) == b"a"
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""


def test_that_dropped_bytes_are_swallowed_and_their_connection_is_reset_when_mended(link: FaultProxy) -> None:
    with client_of(link) as client, client_of(link) as idle:
        assert exactly(client, 1) + exactly(idle, 1) == b"aa"
        link.drop()
        client.sendall(b"lost")
        assert is_silent(client)
        assert link.counts.dropped == 4
        link.mend()
        with pytest.raises(ConnectionError):
            client.recv(1)
        idle.sendall(b"kept")
        assert exactly(idle, 4) == b"kept"


def test_that_a_link_that_hangs_accepts_and_holds_and_gives_everything_later(link: FaultProxy) -> None:
    with client_of(link) as before:
        assert exactly(before, 1) == b"a"
        link.hang()
        before.sendall(b"held")
        with client_of(link) as new:
            assert is_silent(before)
            assert is_silent(new)
            link.mend()
            assert exactly(before, 4) == b"held"
            assert exactly(new, 1) == b"a"


def test_that_an_orphaned_connection_is_silent_for_ever_and_a_new_one_is_good(link: FaultProxy) -> None:
    with client_of(link) as old:
        assert exactly(old, 1) == b"a"
        link.orphan()
        old.sendall(b"lost")
        link.mend()
        with client_of(link) as new:
            assert exactly(new, 1) == b"a"
        assert is_silent(old)


def test_that_a_delay_holds_each_way(link: FaultProxy) -> None:
    with client_of(link) as client:
        assert exactly(client, 1) == b"a"
        link.delay(0.15)
        begun_s = time.monotonic()
        client.sendall(b"x")
        assert exactly(client, 1) == b"x"
        assert time.monotonic() - begun_s >= 0.3
        client.sendall(b"yyyy")
        client.sendall(b"zzzz")
        assert exactly(client, 8) == b"yyyyzzzz"


def test_that_a_limited_link_carries_so_many_bytes_a_second_over_all_connections(link: FaultProxy) -> None:
    with client_of(link) as one, client_of(link) as other:
        assert exactly(one, 1) + exactly(other, 1) == b"aa"
        link.limit(20_000)
        begun_s = time.monotonic()
        for client in (one, other):
            client.sendall(b"." * 4_000)
        for client in (one, other):
            assert exactly(client, 4_000) == b"." * 4_000
        assert time.monotonic() - begun_s >= 0.4


@pytest.mark.parametrize("after", [1, 7, 70_000])
def test_that_a_cut_forwards_exactly_so_many_bytes_and_then_ends_the_connection(link: FaultProxy, after: int) -> None:
    with client_of(link) as client:
        assert exactly(client, 1) == b"a"
        link.cut(after, "down")
        sender = Thread(target=send, args=(client, b"." * 80_000))
        sender.start()
        got = 0
        with suppress(ConnectionError):
            while more := client.recv(65_536):
                got += len(more)
        sender.join()
        assert got == after
        assert link.is_cut
    with client_of(link) as again:
        assert exactly(again, 1) == b"a"


def send(client: socket.socket, data: bytes) -> None:
    with suppress(OSError):
        client.sendall(data)


def test_that_a_reset_ends_connections_with_an_error_and_new_ones_are_good(link: FaultProxy) -> None:
    with client_of(link) as client:
        assert exactly(client, 1) == b"a"
        link.reset()
        with pytest.raises(ConnectionError):
            client.recv(1)
        with client_of(link) as again:
            assert exactly(again, 1) == b"a"


def test_that_nobody_listens_while_refused(link: FaultProxy) -> None:
    link.refuse()
    with pytest.raises(ConnectionError), client_of(link):
        pass
    link.mend()
    with client_of(link) as client:
        assert exactly(client, 1) == b"a"


def test_that_another_server_answers_after_a_redirection(link: FaultProxy) -> None:
    other = Echo(b"b")
    try:
        with client_of(link) as client:
            assert exactly(client, 1) == b"a"
            link.redirect(other.port)
            with pytest.raises(ConnectionError):
                client.recv(1)
            with client_of(link) as again:
                assert exactly(again, 1) == b"b"
    finally:
        link.reset()
        other.close()


def test_that_a_server_that_is_gone_reads_as_a_reset(link: FaultProxy, echo: Echo) -> None:
    echo.close()
    with pytest.raises(ConnectionError), client_of(link) as client:  # it may come before the connection is made
        client.recv(1)

"""Starts and stops the demo plant: two server processes on 127.0.0.1 that never outlive this one."""

import json
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import IO, Self

from app.errors import UserError
from app.processes import NO_CONSOLE, module_command, module_environment

READY_S = 30.0
GRACE_S = 4.0
STDERR_LINES = 20
OPCUA = "app.plant.opcua_server"
MODBUS = "app.plant.modbus_server"
_TITLES = {OPCUA: "OPC UA server of the demo plant", MODBUS: "Modbus server of the demo plant"}


def server_command(module: str, arguments: Sequence[str]) -> list[str]:
    """The command line that runs one server with this very Python. The one place to change for a frozen build."""
    return module_command(module, arguments)


def server_environment() -> dict[str, str]:
    """The environment that belongs to `server_command`."""
    return module_environment()


class ServerProcess:
    """One server as a child process. Its standard input is its lifeline: when it closes, the server ends."""

    def __init__(self, module: str, *, seed: int, epoch_s: float) -> None:
        self._module = module
        self._fixed = ["--with-parent", "--seed", str(seed), "--epoch", repr(epoch_s)]
        self._process: subprocess.Popen[bytes] | None = None
        self._readers: list[threading.Thread] = []
        self._said: SimpleQueue[bytes] = SimpleQueue()
        self._complaints: deque[str] = deque(maxlen=STDERR_LINES)
        self.url = ""
        self.port = 0

    @property
    def pid(self) -> int | None:
        """Process id, None when it does not run."""
        return self._process.pid if self.running and self._process is not None else None

    @property
    def running(self) -> bool:
        """The process lives."""
        return self._process is not None and self._process.poll() is None

    def launch(self) -> None:
        """Starts the process without waiting; on the same port as before when there was one."""
        if self.running:
            return
        self._said = SimpleQueue()
        self._complaints = deque(maxlen=STDERR_LINES)
        self._process = subprocess.Popen(
            server_command(self._module, [*self._fixed, "--port", str(self.port)]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=server_environment(),
            creationflags=NO_CONSOLE,
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._readers = [
            threading.Thread(target=self._read_announcement, args=(self._process.stdout, self._said), daemon=True),
            threading.Thread(target=self._read_complaints, args=(self._process.stderr, self._complaints), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def wait_until_ready(self, deadline: float) -> None:
        """Waits for the announcement until `deadline` (monotonic seconds).

        Raises:
            UserError: The process ended or said nothing in time; what it wrote to standard error is the reason.
        """
        try:
            line = self._said.get(timeout=max(0.0, deadline - time.monotonic()))
        except Empty:
            line = b""
        if line:
            facts = json.loads(line)
            self.url, self.port = facts["url"], facts["port"]
            return
        ended = not self.running
        self.stop()
        why = "\n".join(self._complaints) or ("it ended at once" if ended else "it was not ready in time")
        raise UserError(
            f"The {_TITLES[self._module]} did not start",
            where=" ".join(server_command(self._module, self._fixed)),
            why=why,
            fix="Try again; when it stays so, save diagnostics and report it",
        )

    def kill(self) -> None:
        """Ends the process at once, as a power cut does; it can be launched again on the same port."""
        if self._process is not None:
            self._process.kill()
            self._finish()

    def ask_to_stop(self) -> None:
        """Closes the lifeline without waiting."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    def stop(self) -> None:
        """Ends the process in an orderly way, with force if it does not obey. Safe to call twice."""
        process = self._process
        if process is None:
            return
        self.ask_to_stop()
        try:
            process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
        self._finish()

    def _finish(self) -> None:
        process = self._process
        if process is None:
            return
        process.wait()
        for reader in self._readers:
            reader.join()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
        self._process = None
        self._readers = []

    @staticmethod
    def _read_announcement(pipe: IO[bytes], said: SimpleQueue[bytes]) -> None:
        said.put(pipe.readline())  # an empty line at the end of the pipe says: ended without a word
        for _ in pipe:
            continue

    @staticmethod
    def _read_complaints(pipe: IO[bytes], complaints: deque[str]) -> None:
        complaints.extend(line.decode("utf-8", "replace").rstrip() for line in pipe)


class Plant:
    """The running demo plant. Both servers simulate the same line: same seed, same epoch, same values.

    What a client writes reaches the line of the server it was written to only, not the other's.
    May be used from any one thread.
    """

    def __init__(self, *, seed: int = 1, timeout_s: float = READY_S) -> None:
        self._timeout_s = timeout_s
        epoch_s = round(time.time(), 1)
        self._opcua = ServerProcess(OPCUA, seed=seed, epoch_s=epoch_s)
        self._modbus = ServerProcess(MODBUS, seed=seed, epoch_s=epoch_s)

    @property
    def opcua_url(self) -> str:
        """Where the OPC UA server listens; the same after a restart."""
        return self._opcua.url

    @property
    def modbus_url(self) -> str:
        """Where the Modbus server listens; the same after a restart."""
        return self._modbus.url

    @property
    def opcua_pid(self) -> int | None:
        """Process id of the OPC UA server, None while it does not run."""
        return self._opcua.pid

    @property
    def modbus_pid(self) -> int | None:
        """Process id of the Modbus server, None while it does not run."""
        return self._modbus.pid

    def start(self) -> None:
        """Starts both servers and waits until both answer.

        Raises:
            UserError: One did not start; none is left running then.
        """
        try:
            self._start(self._opcua, self._modbus)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stops both servers. Safe to call twice, and after a failed start."""
        servers = (self._opcua, self._modbus)
        for server in servers:
            server.ask_to_stop()
        for server in servers:
            server.stop()

    def kill_opcua(self) -> None:
        """Kills the OPC UA server as a power cut does."""
        self._opcua.kill()

    def kill_modbus(self) -> None:
        """Kills the Modbus server as a power cut does."""
        self._modbus.kill()

    def restart_opcua(self) -> None:
        """Starts the OPC UA server again on its port; the line goes on as if it had never stopped.

        Raises:
            UserError: It did not start, for example because another program took the port.
        """
        self._opcua.stop()
        self._start(self._opcua)

    def restart_modbus(self) -> None:
        """Starts the Modbus server again on its port; see `restart_opcua`."""
        self._modbus.stop()
        self._start(self._modbus)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _start(self, *servers: ServerProcess) -> None:
        deadline = time.monotonic() + self._timeout_s
        for server in servers:
            server.launch()
        for server in servers:
            server.wait_until_ready(deadline)


@contextmanager
def start_plant(seed: int = 1, timeout_s: float = READY_S) -> Iterator[Plant]:
    """The demo plant for the time of a `with` block.

    Raises:
        UserError: A server did not start.
    """
    with Plant(seed=seed, timeout_s=timeout_s) as plant:
        yield plant

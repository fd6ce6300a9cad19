"""Crawling an OPC UA address space with data types and values, as ratios to what a script, a library and another client do.

The server answers in next to no time (``tests.peers.opcua_fast_space``) and has a core of its own; the clients share the other one. Every
client crawls in a new process, for a person's workbench or script crawls once after its start: what counts is the first crawl, from before
its first browse to its end, without the start of the process, its imports and the connecting. The second crawl of the same process is
printed beside it and not judged: by then caches are filled, and V8 has compiled node-opcua. One client after the other in turn; medians
count. Content is compared as a digest: what differs ends the run. On a slow server (asyncua's own) the crawl is compared to the same
requests sent again with nobody looking at the answers.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.opcua_replay import main as replay
from tests.benchmarks.opcua_replay import pinned
from tests.peers.installing import node, npm_packages
from tests.peers.server_process import free_port

NODE_OPCUA = Path(__file__).parent.parent / "peers" / "node_opcua"
ROOT = "s=Space"


class Bound(NamedTuple):
    """``value`` must be at most (or at least) ``limit``."""

    what: str
    value: float
    limit: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def __str__(self) -> str:
        return f"{'ok  ' if self.met else 'MISS'} {self.what}: {self.value:.3f} (bound: {'≥' if self.at_least else '≤'} {self.limit:.3f})"


class Cost(NamedTuple):
    """Of one node."""

    cpu_us: float
    wall_us: float


class Contender:
    def __init__(self, name: str, command: Sequence[str], core: int, environment: dict[str, str] | None = None) -> None:
        self.name = name
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | (environment or {})
        )
        pinned(self._process.pid, {core})
        self._line("ready")

    def crawl(self, want: str) -> dict[str, float | str]:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{want}\n")
        self._process.stdin.flush()
        answer: dict[str, float | str] = json.loads(self._line("{"))
        return answer

    def _line(self, begin: str) -> str:
        """The next line that begins so; node-opcua writes warnings of its own between."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(begin):
                return line
            print(f"  ({self.name}: {line.rstrip()[:100]})")
        raise SystemExit(f"{self.name} ended")

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextlib.contextmanager
def fast_server(size: Sequence[int], core: int) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "tests.peers.opcua_fast_space", "--port", str(port), "--size", *map(str, size)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        pinned(process.pid, {core})
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise SystemExit("the server did not start")
        yield f"opc.tcp://127.0.0.1:{port}/fast"
    finally:
        process.kill()
        process.communicate()


def commands(url: str) -> dict[str, list[str]]:
    """Name of each client → how it is started."""
    module = npm_packages(NODE_OPCUA / "package.json")
    program = module.parent / "crawl.js"
    program.write_bytes((NODE_OPCUA / "crawl.js").read_bytes())
    python = [sys.executable, "-m", "tests.benchmarks.opcua_crawlers"]
    clients = {name: [*python, name, url, ROOT] for name in ("ours", "asyncua", "node by node")}
    return clients | {"node-opcua": [node(), str(program), url, f"ns=2;{ROOT}"]}


def measured(clients: dict[str, list[str]], core: int, want: str, rounds: int) -> tuple[dict[str, Cost], dict[str, Cost]]:
    """Medians of each client's first crawls and of its second ones."""
    first: dict[str, list[Cost]] = {name: [] for name in clients}
    second: dict[str, list[Cost]] = {name: [] for name in clients}
    digests: dict[str, set[str]] = {}
    for _ in range(rounds):
        for name, command in clients.items():
            client = Contender(name, command, core)
            try:
                for seen, turn in ((first, "first"), (second, "second")):
                    answer = client.crawl(want)
                    nodes = float(answer["nodes"])
                    if name != "node by node":  # a sample only
                        digests.setdefault(str(answer["digest"]), set()).add(name)
                    cost = Cost(1e6 * float(answer["cpu_s"]) / nodes, 1e6 * float(answer["wall_s"]) / nodes)
                    seen[name].append(cost)
                    print(f"  {want:<6} {name:<13} {turn:<6} {nodes:8.0f} nodes, {cost.cpu_us:8.2f} µs CPU a node, "
                          f"{1e6 / cost.wall_us:9.0f} nodes/s", flush=True)  # fmt: skip
            finally:
                client.end()
    if len(digests) != 1:
        raise SystemExit(f"MISS content differs: {sorted(map(sorted, digests.values()))}")
    return _medians(first), _medians(second)


def _medians(seen: dict[str, list[Cost]]) -> dict[str, Cost]:
    return {name: Cost(*map(statistics.median, zip(*costs, strict=True))) for name, costs in seen.items()}


def bounds(size: Sequence[int], rounds: int) -> list[Bound]:
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    with fast_server(size, cores[0]) as url:
        clients = commands(url)
        both = {name: clients[name] for name in ("ours", "node-opcua")}
        names, names_again = measured(both, cores[-1], "names", rounds)
        values, values_again = measured(clients, cores[-1], "values", rounds)
    for what, costs in (("names", names_again), ("values", values_again)):
        shares = (f"{costs['ours'].cpu_us / cost.cpu_us:.3f} of {name}'s" for name, cost in costs.items() if name != "ours")
        print(f"second crawl of a process, {what}, client CPU per node (not judged): {', '.join(shares)}")
    return [
        Bound(
            "nodes/s with types and values, times the way node by node",
            values["node by node"].wall_us / values["ours"].wall_us, 25, at_least=True,
        ),
        Bound("client CPU per node, of asyncua's batched generic decode", values["ours"].cpu_us / values["asyncua"].cpu_us, 1 / 10),
        Bound("client CPU per node, of node-opcua's client", values["ours"].cpu_us / values["node-opcua"].cpu_us, 1 / 3),
        Bound("names and classes alone, client CPU per node, of node-opcua's", names["ours"].cpu_us / names["node-opcua"].cpu_us, 1 / 5),
    ]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, nargs=3, default=(10, 50, 200), help="areas, machines in each, variables in each")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--slow-variables", type=int, default=3000)
    options = parser.parse_args()
    found = [
        *bounds(options.size, options.rounds),
        Bound("on a slow server, wall time of the same requests sent again", replay(options.slow_variables), 1.2),
    ]
    for bound in found:
        print(bound)
    return int(not all(bound.met for bound in found))


if __name__ == "__main__":
    sys.exit(main())

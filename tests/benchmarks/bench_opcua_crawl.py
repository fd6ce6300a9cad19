"""Crawling an OPC UA address space with data types and values, as ratios to what a script, a library and another client do.

The server answers in next to no time (``tests.peers.opcua_fast_space``) and has a core of its own; the clients share the other one, each in
its own process, one crawl after the other in turn; medians count. Content is compared as a digest: what differs ends the run. On a slow
server (asyncua's own) the crawl is compared to the same requests sent again with nobody looking at the answers.
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
from tests.peers.opcua_peer import free_port

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


def contenders(url: str, core: int) -> list[Contender]:
    module = npm_packages(NODE_OPCUA / "package.json")
    program = module.parent / "crawl.js"
    program.write_bytes((NODE_OPCUA / "crawl.js").read_bytes())
    python = [sys.executable, "-m", "tests.benchmarks.opcua_crawlers"]
    return [
        Contender("ours", [*python, "ours", url, ROOT], core),
        Contender("asyncua", [*python, "asyncua", url, ROOT], core),
        Contender("node by node", [*python, "node by node", url, ROOT], core),
        Contender("node-opcua", [node(), str(program), url, f"ns=2;{ROOT}"], core),
    ]


def measured(fleet: Sequence[Contender], want: str, rounds: int) -> dict[str, tuple[float, float]]:
    """CPU and wall µs per node of each, the medians of all rounds but the first, in which caches and compilers warm up."""
    seen: dict[str, list[tuple[float, float]]] = {one.name: [] for one in fleet}
    digests: dict[str, set[str]] = {}
    for number in range(rounds + 1):
        for one in fleet:
            answer = one.crawl(want)
            nodes = float(answer["nodes"])
            if one.name != "node by node":  # a sample only
                digests.setdefault(str(answer["digest"]), set()).add(one.name)
            if number:
                seen[one.name].append((1e6 * float(answer["cpu_s"]) / nodes, 1e6 * float(answer["wall_s"]) / nodes))
            print(f"  {want:<6} {one.name:<13} {nodes:8.0f} nodes, {1e6 * float(answer['cpu_s']) / nodes:8.2f} µs CPU a node, "
                  f"{nodes / float(answer['wall_s']):9.0f} nodes/s", flush=True)  # fmt: skip
    if len(digests) != 1:
        raise SystemExit(f"MISS content differs: {sorted(map(sorted, digests.values()))}")
    return {name: (statistics.median(cpu for cpu, _ in some), statistics.median(wall for _, wall in some)) for name, some in seen.items()}


def bounds(size: Sequence[int], rounds: int) -> list[Bound]:
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    with fast_server(size, cores[0]) as url:
        fleet = contenders(url, cores[-1])
        try:
            names = measured([one for one in fleet if one.name in ("ours", "node-opcua")], "names", rounds)
            values = measured(fleet, "values", rounds)
        finally:
            for one in fleet:
                one.end()
    return [
        Bound(
            "nodes/s with types and values, times the way node by node", values["node by node"][1] / values["ours"][1], 25, at_least=True
        ),
        Bound("client CPU per node, of asyncua's batched generic decode", values["ours"][0] / values["asyncua"][0], 1 / 10),
        Bound("client CPU per node, of node-opcua's client", values["ours"][0] / values["node-opcua"][0], 1 / 3),
        Bound("names and classes alone, client CPU per node, of node-opcua's", names["ours"][0] / names["node-opcua"][0], 1 / 5),
    ]


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

"""Reading and writing project files, as ratios to what a script without any checks would do with the standard library.

The naive reader is ``json.loads`` per line into dicts keyed by kind and id, the naive writer ``json.dumps`` per dict: no types, no
defaults, no references, no secrets looked for, nothing read back. All are timed in turn in one process; the median of the rounds counts.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
from collections.abc import Callable

from app.model.element import Element
from app.model.itmodel import Asset, AssetType, Attribute
from app.model.mapping import GainOffset, Mapping
from app.model.plant import Endpoint, Tag
from app.model.project import Project, ProjectInfo
from app.projectfile import read, write
from app.projectfile.strict import read_strictly

ATTRIBUTES = 10


def generated(mappings: int) -> Project:
    """As many tags as mappings, one asset to ten of them."""
    elements: list[Element] = [
        Endpoint(id="plant-aaaaaa", name="plant", addresses={"default": "opc.tcp://10.0.0.5:4840"}),
        AssetType(id="filler-aaaaaa", name="Filler"),
    ]
    elements += [
        Attribute(id=f"attribute-{n}-aaaaaa", asset_type="filler-aaaaaa", name=f"attribute{n}", data_type="float64", unit="CEL")
        for n in range(ATTRIBUTES)
    ]
    elements += [Asset(id=f"asset-{n}-aaaaaa", name=f"Filler {n}", asset_type="filler-aaaaaa") for n in range(-(-mappings // ATTRIBUTES))]
    for n in range(mappings):
        address = f"nsu=urn:example:plant;s=Line{n // 1000}.Filler{n // ATTRIBUTES}.Value{n}"
        elements.append(Tag(id=f"tag-{n}-aaaaaa", endpoint="plant-aaaaaa", address=address, name=f"value{n}", type="float64", gain=0.5))
        elements.append(
            Mapping(
                id=f"mapping-{n}-aaaaaa",
                asset=f"asset-{n // ATTRIBUTES}-aaaaaa",
                attribute=f"attribute-{n % ATTRIBUTES}-aaaaaa",
                sources=(f"tag-{n}-aaaaaa",),
                transform=(GainOffset(gain=0.01, offset=float(n)),),
            )
        )
    return Project(ProjectInfo(id="bench-aaaaaa", name="Benchmark"), elements)


Naive = dict[tuple[str, str], dict[str, object]]


def naive_read(data: bytes) -> Naive:
    rows = (json.loads(line) for line in data.split(b"\n") if line)
    return {(row["kind"], row.get("id", "")): row for row in rows}


def naive_write(rows: Naive) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n" for row in rows.values())[:-1]


def timed(work: Callable[[], object]) -> float:
    gc.collect()
    began = time.process_time()
    work()
    return time.process_time() - began


def measure(mappings: int, rounds: int) -> dict[str, float]:
    """Median seconds of each way, interleaved."""
    project = generated(mappings)
    data = write(project)
    rows = naive_read(data)
    assert list(read(data, "x").elements()) == list(project.elements()), "what was read is not what was written"
    assert naive_write(rows) == data, "the naive writer does not write the same file"
    dense = data.replace(b"\n\n", b"\n")
    ways: dict[str, Callable[[], object]] = {
        "naive read": lambda: naive_read(data),
        "read": lambda: read(data, "x"),
        "strict read": lambda: read_strictly(dense, "x"),
        "naive write": lambda: naive_write(rows),
        "write": lambda: write(project),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            seconds[name].append(timed(way))
    print(f"{mappings:>9,} mappings, {len(rows) - 1:,} elements, {len(data) / 1e6:.1f} MB")
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    for name, median in medians.items():
        naive = medians["naive write" if "write" in name else "naive read"]
        print(f"  {name:<12} {median * 1000:9.1f} ms   {median / naive:5.2f} x naive")
    return medians


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mappings", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    small = measure(arguments.mappings // 10, arguments.rounds)
    large = measure(arguments.mappings, arguments.rounds)
    print("growth for ten times as many (10 is linear): " + ", ".join(f"{name} {large[name] / small[name]:.1f}" for name in large))


if __name__ == "__main__":
    main()

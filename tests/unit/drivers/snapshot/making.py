"""Small snapshots for tests, written as the product writes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app.drivers.base import EndpointReport, UnitSettings
from app.drivers.snapshot.lines import FORMAT, AnyLine, Child, ChildrenLine, Header, NodeLine, RegistersLine, SampleLine
from app.drivers.snapshot.writing import SnapshotFile
from app.model.plant import Identity
from app.model.values import Quality, Sample, Value

OBJECTS = "nsu=http://opcfoundation.org/UA/;i=85"
LINE = "nsu=urn:line;s="
THEN_NS = 1_795_000_000_000_000_000


def header(driver: str = "opcua", **more: object) -> Header:
    url = "opc.tcp://10.0.0.5:4840" if driver == "opcua" else "modbus://10.0.0.6:502?unit=3"
    report = EndpointReport(
        title="Filler", url=url, application_uri="urn:filler", namespaces=("http://opcfoundation.org/UA/", "urn:line"),
        identity=Identity(application_uri="urn:filler", product="Maker, Filler, 1.0"),
    )  # fmt: skip
    units = () if driver == "opcua" else (UnitSettings(number=3, order="CDAB"),)
    return Header(format=FORMAT, endpoint="filler", url=url, driver=driver, begun_ns=THEN_NS, units=units, report=report, **more)  # type: ignore[arg-type]  # of tests


def variable(name: str, value: Value, type_: str, quality: Quality = Quality.GOOD) -> NodeLine:
    sample = Sample(value, type_, quality, 0 if quality is Quality.GOOD else 0x80000000, THEN_NS - 5, THEN_NS - 4, THEN_NS)
    return NodeLine(
        id=LINE + name, name=name, browse_name=f"urn:line:{name}", path=name, node_class="variable", type=type_,
        sample=SampleLine.of(sample),
    )  # fmt: skip


def tree_lines(*variables: NodeLine) -> list[AnyLine]:
    root = NodeLine(id=OBJECTS, name="Objects", browse_name="Objects", node_class="object")
    lines: list[AnyLine] = [header(), root, *variables, ChildrenLine(of=OBJECTS, nodes=tuple(Child(one.id) for one in variables))]
    return lines + [ChildrenLine(of=one.id) for one in variables]


def register_lines() -> list[AnyLine]:
    return [
        header("modbus"),
        RegistersLine(unit=3, table="holding", address=100, count=4, words=bytes.fromhex("000042f6 1234ffff"), receive_ns=THEN_NS),
        RegistersLine(unit=3, table="holding", address=104, count=2, status=2, receive_ns=THEN_NS),
        RegistersLine(unit=3, table="coil", address=0, count=3, words=b"\1\0\1", receive_ns=THEN_NS + 7),
    ]


def write(path: Path, lines: Sequence[AnyLine], *, finish: bool = True) -> Path:
    file = SnapshotFile(path)
    first, *rest = lines
    assert isinstance(first, Header)
    file.begin(first)
    file.append(rest)
    if finish:
        file.finish(THEN_NS + 60 * 10**9)
    file.close()
    return path

"""One realistic small project for all tests: the packaging line of the demo plant over OPC UA, its energy meter and drive over Modbus.

Every operator stands in some mapping, addresses are those of ``app.plant``, and all of it can be written to a file. Tests that
need something else change it by edits, or with ``changed``.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.edits import Editor
from app.edits.edit import replace, with_fields
from app.model.element import Element
from app.model.itmodel import Asset, AssetType, Attribute, Component, Place
from app.model.mapping import (
    Bit,
    Cast,
    Clamp,
    Delivery,
    EnumNames,
    GainOffset,
    Linear,
    Mapping,
    Mask,
    Not,
    Round,
    Sqrt,
    Transform,
    Trim,
    UnitConversion,
)
from app.model.plant import Endpoint, Group, Identity, Tag, Unit
from app.model.project import Project, ProjectInfo
from app.model.reviewing import Comment
from app.review.approval import approve

LINE = "urn:tagloom:plant:line"
PLC = "urn:tagloom:plant:plc"
UA = "http://opcfoundation.org/UA/"
OPCUA, METER = "filler-opcua", "meter-modbus"
"""Ids of the two endpoints."""

STATES = {"0": "STOPPED", "1": "STARTING", "2": "EXECUTE", "3": "HOLDING", "4": "HELD", "5": "ABORTED"}


def line4_project(namespaces: Sequence[str] = (UA, "urn:tagloom:plant", LINE, PLC)) -> Project:
    """Two endpoints, two groups, 22 tags, three types (one inherits, one is a component), three assets, 22 mappings, approvals."""
    project = Project(
        ProjectInfo(id="line-4", name="Line 4", description="Filling and packing, for ERP and energy reporting"),
        [*_endpoints(namespaces), *_tags(), *_it_model(), *_mappings(), *_deliveries()],
    )
    editor = Editor(project)
    editor.do(
        approve(
            project, ["m-fill-flow", "m-voltage", "default-delivery"], by="A. Reyes", at="2026-03-02T09:30:00Z", why="Compared with the HMI"
        )
    )
    comment = Comment(id="c-temperature", about="m-temperature", by="J. Weiss", at="2026-03-02T10:00:00Z", text="Is the transmitter in °F?")
    editor.do(replace("Comment", project, [comment]))
    return project


def changed(project: Project, element: Element, **fields: object) -> Project:
    """The project with other fields in one of its elements."""
    Editor(project).do(replace("Change", project, [with_fields(element, **fields)]))
    return project


def _endpoints(namespaces: Sequence[str]) -> list[Element]:
    return [
        Endpoint(
            id=OPCUA, name="filler-opcua", addresses={"default": "opc.tcp://10.0.4.20:4840", "gateway": "opc.tcp://line4-plc:4840"},
            description="Line 4 packaging server", namespaces=tuple(namespaces), identity=Identity(application_uri="urn:tagloom:plant"),
        ),
        Endpoint(id=METER, name="meter-modbus", addresses={"default": "modbus://10.0.4.31"}, settings={"gap": 8}),
        Unit(id="unit-meter", endpoint=METER, number=3, name="Energy meter", order="CDAB"),
        Unit(id="unit-drive", endpoint=METER, number=4, name="Conveyor drive"),
        Group(id="fast", name="Fast", interval_ms=250, deadband=0.0),
        Group(id="slow", name="Slow", interval_ms=1000, deadband=0.0, queue_size=1),
    ]  # fmt: skip


def _ua(id_: str, identifier: str, type_: str, *, group: str = "slow", uri: str = LINE, unit: str = "", **more: object) -> Tag:
    name = identifier.rpartition("/")[2]
    return Tag(id=id_, endpoint=OPCUA, address=f"nsu={uri};s={identifier}", name=name, group=group, type=type_, unit=unit, **more)  # type: ignore[arg-type]  # fields of Tag, checked when the project is saved


def _register(id_: str, address: str, name: str, type_: str, *, unit: str = "", gain: float = 1.0, **more: object) -> Tag:
    return Tag(id=id_, endpoint=METER, address=address, name=name, group="slow", type=type_, unit=unit, gain=gain, **more)  # type: ignore[arg-type]  # as above


def _tags() -> list[Element]:
    return [
        _ua("t-flow", "Line4/Filler1/FT-101.PV", "float32", group="fast", unit="L2", low=0.0, high=150.0),
        _ua("t-pressure", "Line4/Filler1/PT-102.PV", "float32", unit="BAR", low=0.0, high=6.0),
        _ua("t-level", "Line4/Filler1/LT-103.PV", "float32", unit="P1", low=0.0, high=100.0),
        _ua("t-temperature", "Line4/Filler1/TT-104.PV", "float64", unit="FAH", low=32.0, high=248.0),
        _ua("t-bottles", "Line4/Filler1/BottleCount", "uint32"),
        _ua("t-volumes", "Line4/Filler1/FillVolumes", "float64[]", unit="MLT"),
        _ua("t-recipe", "Line4/Filler1/ActiveRecipe", "string"),
        _ua("t-state", "Line4/Filler1/State", "enum", enum=STATES),
        _ua("t-running", "Line4/Filler1/Running", "bool"),
        _ua("t-speed", "Line4/Filler1/Motor/Speed", "int16", group="fast", unit="RPM", low=0.0, high=1500.0),
        _ua("t-torque", "Line4/Filler1/Motor/Torque", "float32", unit="P1", low=-200.0, high=200.0),
        _ua("t-state-2", "Line4/Filler2/State", "enum", enum=STATES),
        _ua("t-flow-2", '"DB_Filler"."rFillFlow"', "float32", uri=PLC, unit="L2", low=0.0, high=150.0),
        _register("t-voltage", "3/holding:100:float32:CDAB", "VoltageL1", "float32", unit="VLT"),
        _register("t-energy", "3/holding:112:uint32:ABCD", "EnergyImported", "uint32", unit="KWH", gain=0.1),
        _register("t-frequency", "3/holding:116:int16", "Frequency", "int16", unit="HTZ", gain=0.01),
        _register("t-status", "3/holding:119", "StatusWord", "uint16"),
        _register("t-alarm", "3/holding:119.4", "VoltageAlarm", "bool"),
        _register("t-model", "3/holding:140:str16", "Model", "string"),
        _register("t-relay", "3/coil:0", "Relay1", "bool", access="rw"),
        _register("t-exporting", "3/discrete:0", "Exporting", "bool"),
        _register("t-vibration", "4/holding:14:float32:BADC", "Vibration", "float32", unit="C16"),
    ]  # fmt: skip


def _attribute(type_: str, name: str, data_type: str, unit: str = "", **more: object) -> Attribute:
    return Attribute(id=f"a-{type_}-{name.lower()}", asset_type=type_, name=name, data_type=data_type, unit=unit, **more)  # type: ignore[arg-type]  # fields of Attribute, checked when the project is saved


def _it_model() -> list[Element]:
    return [
        AssetType(id="machine", name="Machine", abstract=True, description="What every machine of the line reports"),
        _attribute("machine", "state", "enum", required=True, enum=STATES, title="Machine state"),
        _attribute("machine", "running", "bool"),
        _attribute("machine", "stopped", "bool"),
        AssetType(id="filler", name="Filler", title="Rotary filler", extends="machine", version="1.2"),
        _attribute("filler", "fillFlow", "float64", "L2", low=0.0, high=200.0, required=True, description="Product flow to the filler"),
        _attribute("filler", "bowlPressure", "float64", "KPA", low=0.0, high=800.0),
        _attribute("filler", "bowlLevel", "float64", "P1"),
        _attribute("filler", "levelRoot", "float64", "P1"),
        _attribute("filler", "productTemperature", "float64", "CEL"),
        _attribute("filler", "bottles", "uint64", required=True),
        _attribute("filler", "lastVolumes", "float64[]", "MLT"),
        _attribute("filler", "recipe", "string", required=True),
        AssetType(id="motor", name="Motor"),
        _attribute("motor", "speed", "int32", "RPM"),
        _attribute("motor", "torque", "float32", "P1"),
        Component(id="filler-motor", asset_type="filler", name="motor", type="motor"),
        AssetType(id="meter", name="EnergyMeter", version="2"),
        _attribute("meter", "voltageL1", "float32", "VLT", required=True),
        _attribute("meter", "energyImported", "float64", "KWH", required=True),
        _attribute("meter", "frequency", "float64", "HTZ"),
        _attribute("meter", "voltageAlarm", "bool"),
        _attribute("meter", "phases", "int32"),
        _attribute("meter", "inductive", "bool"),
        _attribute("meter", "model", "string"),
        _attribute("meter", "relay", "string"),
        _attribute("meter", "exporting", "bool"),
        _attribute("meter", "vibration", "float64", "C16"),
        Place(id="acme", name="ACME", level="enterprise"),
        Place(id="plant-1", name="Plant 1", level="site", parent="acme"),
        Place(id="packaging", name="Packaging", level="area", parent="plant-1"),
        Place(id="line-4-place", name="Line 4", level="line", parent="packaging"),
        Asset(id="filler-1", name="Filler 1", asset_type="filler", place="line-4-place"),
        Asset(id="filler-2", name="Filler 2", asset_type="filler", place="line-4-place"),
        Asset(id="meter-1", name="Meter 1", asset_type="meter", place="packaging"),
    ]  # fmt: skip


def _map(name: str, asset: str, attribute: str, tag: str, *transform: Transform, within: tuple[str, ...] = (), **more: object) -> Mapping:
    return Mapping(id=f"m-{name}", asset=asset, attribute=f"a-{attribute}", sources=(tag,), transform=transform, within=within, **more)  # type: ignore[arg-type]  # fields of Mapping, checked when the project is saved


def _mappings() -> list[Element]:
    motor = ("filler-motor",)
    return [
        _map("state", "filler-1", "machine-state", "t-state"),
        _map("running", "filler-1", "machine-running", "t-running"),
        _map("stopped", "filler-1", "machine-stopped", "t-running", Not()),
        _map("fill-flow", "filler-1", "filler-fillflow", "t-flow", GainOffset(gain=1.02, offset=-0.1), Clamp(low=0.0, high=200.0)),
        _map("pressure", "filler-1", "filler-bowlpressure", "t-pressure", UnitConversion(source="BAR", target="KPA"), Round(digits=1)),
        _map("level", "filler-1", "filler-bowllevel", "t-level", Linear(raw_low=0.0, raw_high=100.0, low=5.0, high=95.0, clamp=True),
             quality="good_only"),
        _map("level-root", "filler-1", "filler-levelroot", "t-level", Sqrt(high=100.0), quality="hold", hold_s=30.0),
        _map("temperature", "filler-1", "filler-producttemperature", "t-temperature", UnitConversion(source="FAH", target="CEL"),
             Round(digits=2), time="server"),
        _map("bottles", "filler-1", "filler-bottles", "t-bottles"),
        _map("volumes", "filler-1", "filler-lastvolumes", "t-volumes", Round(digits=1)),
        _map("recipe", "filler-1", "filler-recipe", "t-recipe", Trim()),
        _map("speed", "filler-1", "motor-speed", "t-speed", within=motor),
        _map("torque", "filler-1", "motor-torque", "t-torque", within=motor, time="receive"),
        _map("state-2", "filler-2", "machine-state", "t-state-2"),
        _map("flow-2", "filler-2", "filler-fillflow", "t-flow-2"),
        _map("voltage", "meter-1", "meter-voltagel1", "t-voltage"),
        _map("energy", "meter-1", "meter-energyimported", "t-energy"),
        _map("frequency", "meter-1", "meter-frequency", "t-frequency", interval_ms=2000),
        _map("alarm", "meter-1", "meter-voltagealarm", "t-alarm"),
        _map("phases", "meter-1", "meter-phases", "t-status", Mask(mask=7), Cast(type="int32")),
        _map("inductive", "meter-1", "meter-inductive", "t-status", Bit(index=7)),
        _map("model", "meter-1", "meter-model", "t-model"),
        _map("relay", "meter-1", "meter-relay", "t-relay", EnumNames(names={"0": "open", "1": "closed"})),
        _map("exporting", "meter-1", "meter-exporting", "t-exporting"),
        _map("vibration", "meter-1", "meter-vibration", "t-vibration"),
    ]  # fmt: skip


def _deliveries() -> list[Element]:
    return [
        Delivery(id="default-delivery", trigger="change"),
        Delivery(id="meter-delivery", asset_type="meter", topic="{enterprise}/{site}/{area}/{asset}", message="asset", keys="snake_case",
                 time="epoch_ms", quality="code", unit=False, null="omit", qos=0, retain=True, trigger="periodic", period_ms=1000),
    ]  # fmt: skip

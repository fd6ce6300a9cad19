"""A small project of every kind that the tests of the file share, and its lines."""

from __future__ import annotations

from app.model.itmodel import Asset, AssetType, Attribute, Component, Place
from app.model.mapping import Delivery, GainOffset, Mapping
from app.model.plant import Endpoint, Group, Security, Tag, Unit, WatchList
from app.model.project import Project, ProjectInfo
from app.model.reviewing import Approval, Comment, Suppression
from app.projectfile import write


def small_project() -> Project:
    return Project(
        ProjectInfo(id="line-4-aaaaaa", name="Line 4"),
        [
            Endpoint(
                id="filler-aaaaaa",
                name="filler-opcua",
                addresses={"default": "opc.tcp://10.0.0.5:4840", "gateway": "opc.tcp://filler:4840"},
                security=Security(user="password", name="operator", secret="secret://filler-aaaaaa/password"),
                settings={"timeout_s": 4.0, "retries": 2, "keep": True},
            ),
            Unit(id="meter-aaaaaa", endpoint="filler-aaaaaa", number=3, order="CDAB"),
            Group(id="fast-aaaaaa", name="fast", interval_ms=100),
            Tag(
                id="flow-aaaaaa", endpoint="filler-aaaaaa", address="nsu=urn:line;s=Flow", name="Füllmenge °", group="fast-aaaaaa", low=1.0
            ),
            Tag(id="flow-bbbbbb", endpoint="filler-aaaaaa", address="nsu=urn:line;s=Flow2", name="flow2", enum={"0": "off", "-1": "?"}),
            WatchList(id="mine-aaaaaa", name="mine", tags=("flow-bbbbbb", "flow-aaaaaa")),
            AssetType(id="machine-aaaaaa", name="Machine"),
            AssetType(id="filler-bbbbbb", name="Filler", extends="machine-aaaaaa", extensions={"wot": {"@id": [1, 2.0, None]}}),
            Attribute(id="flow-cccccc", asset_type="machine-aaaaaa", name="flow", data_type="float64", unit="LTR"),
            Component(id="motor-aaaaaa", asset_type="filler-bbbbbb", name="motor", type="machine-aaaaaa"),
            Place(id="plant-aaaaaa", name="Plant 1", level="site"),
            Place(id="line-aaaaaa", name="Line 4", level="line", parent="plant-aaaaaa"),
            Asset(id="filler-1-aaaaaa", name="Filler 1", asset_type="filler-bbbbbb", place="line-aaaaaa"),
            Mapping(
                id="map-aaaaaa",
                asset="filler-1-aaaaaa",
                attribute="flow-cccccc",
                within=("motor-aaaaaa",),
                sources=("flow-aaaaaa",),
                transform=(GainOffset(gain=0.01),),
            ),
            Delivery(id="delivery-aaaaaa", asset_type="filler-bbbbbb", qos=0),
            Approval(id="approval-aaaaaa", about="map-aaaaaa", digest="00", by="Ada", at="2026-01-02T03:04:05Z"),
            Comment(id="comment-aaaaaa", about="flow-aaaaaa", by="Ada", at="2026-01-02T03:04:05Z", text="Which flow?"),
            Suppression(
                id="suppression-aaaaaa", about="filler-aaaaaa", rule="SEC-001", by="Ada", at="2026-01-02T03:04:05Z", why="test floor"
            ),
        ],
    )


SMALL = write(small_project())
LINES = [line for line in SMALL.decode().split("\n") if line]


def line_number(part: str, text: str = SMALL.decode()) -> int:
    """Number of the first line that contains ``part``."""
    return next(number for number, line in enumerate(text.split("\n"), 1) if part in line)

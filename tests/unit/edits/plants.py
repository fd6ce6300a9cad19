"""A small project for the tests of edits: a filler with a motor, mapped from two tags, reviewed and watched."""

from __future__ import annotations

from app.model.itmodel import Asset, AssetType, Attribute, Component, Place
from app.model.mapping import Delivery, Mapping
from app.model.plant import Endpoint, Group, Tag, Unit, WatchList
from app.model.project import Project, ProjectInfo
from app.model.reviewing import Approval, Comment, Suppression

WHEN = "2026-01-02T03:04:05Z"


def filling_line() -> Project:
    return Project(
        ProjectInfo(id="project-a", name="Line 4"),
        [
            Endpoint(id="opc-a", name="opc", addresses={"default": "opc.tcp://h:1"}),
            Endpoint(id="meter-a", name="meter", addresses={"default": "modbus://h:2"}),
            Unit(id="unit-a", endpoint="meter-a", number=3),
            Group(id="fast-a", name="fast"),
            Tag(id="flow-a", endpoint="opc-a", address="nsu=x;s=Flow", name="flow", group="fast-a"),
            Tag(id="speed-a", endpoint="opc-a", address="nsu=x;s=Speed", name="speed"),
            Tag(id="power-a", endpoint="meter-a", address="3/holding:1", name="power"),
            WatchList(id="mine-a", name="mine", tags=("speed-a", "flow-a", "power-a")),
            AssetType(id="machine-a", name="Machine"),
            AssetType(id="filler-type", name="Filler", extends="machine-a"),
            AssetType(id="motor-type", name="Motor"),
            Attribute(id="flow-attr", asset_type="filler-type", name="flow", data_type="float64"),
            Attribute(id="state-attr", asset_type="machine-a", name="state", data_type="string"),
            Attribute(id="speed-attr", asset_type="motor-type", name="speed", data_type="float64"),
            Component(id="motor-part", asset_type="filler-type", name="motor", type="motor-type"),
            Place(id="plant-a", name="Plant 1", level="site"),
            Place(id="line-a", name="Line 4", level="line", parent="plant-a"),
            Asset(id="filler-1", name="Filler 1", asset_type="filler-type", place="line-a"),
            Mapping(id="flow-map", asset="filler-1", attribute="flow-attr", sources=("flow-a",), note="as agreed"),
            Mapping(id="speed-map", asset="filler-1", attribute="speed-attr", within=("motor-part",), sources=("speed-a",)),
            Delivery(id="delivery-a", qos=2),
            Approval(id="approved-a", about="flow-map", digest="0", by="Ada", at=WHEN),
            Comment(id="comment-a", about="flow-map", by="Ada", at=WHEN, text="?"),
            Comment(id="comment-b", about="approved-a", by="Ada", at=WHEN, text="sure?"),
            Suppression(id="suppressed-a", about="opc-a", rule="SEC-001", by="Ada", at=WHEN, why="floor"),
        ],
    )

from __future__ import annotations

import pytest

from app.drivers.modbus.address import Address
from app.edits import Editor
from app.edits.edit import create, delete
from app.gateways import Loss, Options, exporters
from app.gateways.feeds import feeds_of, in_tree_order, url_for
from app.gateways.modbus_blocks import blocks_of
from app.model.itmodel import Asset, Attribute
from app.model.mapping import Cast, Mapping, UnitConversion
from app.model.plant import Endpoint, Tag
from app.model.project import Project
from tests.factory import METER, OPCUA, changed, line4_project

PACKAGING = "ACME/Plant 1/Packaging"


def errors(project: Project) -> dict[str, str]:
    return {loss.place: loss.what for loss in feeds_of(project, Options()).losses if loss.severity == "error"}


def test_that_every_mapping_is_a_feed_and_what_is_required_and_unmapped_is_an_error() -> None:
    project = line4_project()
    found = feeds_of(project, Options())
    assert {feed.mapping.id for feed in found.feeds} == set(project.all(Mapping))
    assert errors(project) == {
        f"{PACKAGING}/Line 4/Filler 2/bottles": "required, and nothing is mapped to it",
        f"{PACKAGING}/Line 4/Filler 2/recipe": "required, and nothing is mapped to it",
    }


def test_that_an_endpoint_is_reached_as_told_else_as_the_gateway_does_else_by_default() -> None:
    project = line4_project()
    opcua, meter = project.all(Endpoint)[OPCUA], project.all(Endpoint)[METER]
    assert url_for(opcua, Options(reach={OPCUA: "opc.tcp://127.0.0.1:5"})) == "opc.tcp://127.0.0.1:5"
    assert url_for(opcua, Options()) == "opc.tcp://line4-plc:4840"
    assert url_for(meter, Options()) == "modbus://10.0.4.31"


@pytest.mark.parametrize(
    ("kind", "id_", "fields", "why"),
    [
        (Tag, "t-flow", {"address": "nonsense"}, "the address nonsense"),
        (Tag, "t-flow", {"address": "/Objects/Speed"}, "the browse path"),
        (Tag, "t-flow", {"access": "w"}, "can only be written"),
        (Mapping, "m-fill-flow", {"transform": (UnitConversion(source="CEL", target="L2"),)}, "transform can never work"),
        (Mapping, "m-fill-flow", {"sources": ()}, "no source tag"),
        (Attribute, "a-filler-fillflow", {"data_type": "string"}, "cannot become string"),
    ],
)  # fmt: skip
def test_that_a_mapping_which_cannot_work_is_left_out_with_an_error(
    kind: type[Tag | Mapping | Attribute], id_: str, fields: dict[str, object], why: str
) -> None:
    project = line4_project()
    changed(project, project.all(kind)[id_], **fields)
    found = feeds_of(project, Options())
    assert "m-fill-flow" not in {feed.mapping.id for feed in found.feeds}
    (what,) = (loss.what for loss in found.losses if loss.place == f"{PACKAGING}/Line 4/Filler 1/fillFlow" and loss.severity == "error")
    assert why in what


def test_that_a_unit_which_does_not_fit_is_left_out_with_an_error() -> None:
    project = line4_project()
    changed(project, project.all(Tag)["t-flow-2"], unit="CEL")
    assert "°C" in errors(project)[f"{PACKAGING}/Line 4/Filler 2/fillFlow"]


def test_that_two_mappings_of_one_attribute_are_both_left_out() -> None:
    project = line4_project()
    Editor(project).do(create("Twin", [Mapping(id="twin", asset="filler-1", attribute="a-filler-bottles", sources=("t-bottles",))]))
    assert errors(project)[f"{PACKAGING}/Line 4/Filler 1/bottles"] == "2 mappings for one attribute"


def test_that_an_asset_whose_topic_cannot_be_published_to_is_left_out() -> None:
    project = line4_project()
    changed(project, project.all(Asset)["meter-1"], name="Meter #1")
    places = errors(project)
    assert f"{PACKAGING}/Meter #1/model" in places
    assert not [feed for feed in feeds_of(project, Options()).feeds if feed.asset.id == "meter-1"]


def test_that_an_endpoint_of_an_unknown_protocol_takes_its_mappings_with_it() -> None:
    project = line4_project()
    changed(project, project.all(Endpoint)[METER], addresses={"default": "profinet://x"})
    found = feeds_of(project, Options())
    assert {feed.endpoint.id for feed in found.feeds} == {OPCUA}
    assert any(loss.place == "meter-modbus" and loss.severity == "error" for loss in found.losses)


def test_that_a_mapping_of_an_attribute_that_the_asset_does_not_have_is_an_error() -> None:
    project = line4_project()
    changed(project, project.all(Mapping)["m-model"], asset="filler-2")
    assert any("an attribute that the asset does not have" in loss.what for loss in feeds_of(project, Options()).losses)


def test_that_a_second_source_is_a_loss_and_the_first_is_used() -> None:
    project = line4_project()
    changed(project, project.all(Mapping)["m-bottles"], sources=("t-bottles", "t-speed"))
    found = feeds_of(project, Options())
    assert next(feed.tag.id for feed in found.feeds if feed.mapping.id == "m-bottles") == "t-bottles"
    assert Loss(f"{PACKAGING}/Line 4/Filler 1/bottles", "2 source tags", "only the first is used") in found.losses


def test_that_a_cast_makes_a_narrowing_deliverable() -> None:
    project = line4_project()
    changed(project, project.all(Attribute)["a-filler-fillflow"], data_type="int32")
    assert any(place.endswith("Filler 1/fillFlow") for place in errors(project))
    changed(project, project.all(Mapping)["m-fill-flow"], transform=(Cast(type="int32"),))
    changed(project, project.all(Mapping)["m-flow-2"], transform=(Cast(type="int32"),))
    assert not any(place.endswith("/fillFlow") for place in errors(project))


def test_that_losses_come_in_the_order_of_the_project_tree() -> None:
    project = line4_project()
    places = [f"{PACKAGING}/Meter 1/model", "Delivery", "nowhere", f"{PACKAGING}/Line 4/Filler 1/state", "meter-modbus", "filler-opcua"]
    ordered = in_tree_order(project, [Loss(place, "", "") for place in places])
    assert [loss.place for loss in ordered] == [
        "filler-opcua", "meter-modbus", "Delivery", f"{PACKAGING}/Line 4/Filler 1/state", f"{PACKAGING}/Meter 1/model", "nowhere",
    ]  # fmt: skip


def test_that_a_removed_asset_leaves_no_feed() -> None:
    project = line4_project()
    asset = project.all(Asset)["meter-1"]
    Editor(project).do(
        delete(
            "Remove",
            [asset, *project.mappings_of("meter-1"), *(a for m in project.mappings_of("meter-1") for a in project.approvals_about(m.id))],
        )
    )
    assert METER not in {connection.endpoint.id for connection in feeds_of(project, Options()).connections}


@pytest.mark.parametrize("address", ["3/holding:100:bcd32", "3/holding:100:mod10k32", "3/holding:100.4-7", "3/holding:100:float16"])
def test_that_a_register_form_which_no_gateway_decodes_is_an_error_loss_and_no_wrong_value(address: str) -> None:
    project = line4_project()
    tag = next(tag for tag in project.all(Tag).values() if tag.address.startswith("3/holding") and list(project.mappings_from(tag.id)))
    changed(project, tag, address=address)
    for key, exporter in exporters().items():
        before, after = (exporter.render(one, Options()) for one in (line4_project(), project))
        new = [loss for loss in after.losses if loss not in before.losses]
        assert [loss.severity for loss in new if "does not decode" in loss.what] == ["error"], key


def test_that_forbidden_registers_are_neither_sent_nor_read_along() -> None:
    project = line4_project()
    meter = next(found for found in project.all(Endpoint).values() if found.addresses["default"].startswith("modbus"))
    items = [feed.address for feed in feeds_of(project, Options()).of(meter.id) if isinstance(feed.address, Address)]
    lowest = min(item.address for item in items if (item.unit, item.table) == (3, "holding"))
    changed(project, meter, settings={"forbidden": f"3/holding:{lowest}"})
    found = feeds_of(project, Options())
    assert any(loss.severity == "error" and "forbids to read" in loss.what for loss in found.losses)
    blocks, _ = blocks_of(project, project.all(Endpoint)[meter.id], found.of(meter.id))
    assert blocks
    assert not any(block.extent[:2] == (3, "holding") and block.extent.address <= lowest < block.extent.end for block in blocks)

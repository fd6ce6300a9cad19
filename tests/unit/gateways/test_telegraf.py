from __future__ import annotations

import json
import re
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.edits import Editor
from app.edits.edit import create
from app.gateways import Options, Rendered
from app.gateways.telegraf import EXPORTER
from app.gateways.telegraf_toml import Reference, dumps
from app.model.itmodel import Asset, Attribute
from app.model.mapping import Mapping
from app.model.plant import Endpoint, Group, Tag
from app.model.project import Project
from tests.factory import LINE, METER, OPCUA, UA, changed, line4_project

REFERENCE = re.compile(r"\$\{[A-Z][A-Z0-9_]*:-\}")


def render(project: Project, **reach: str) -> Rendered:
    return EXPORTER.render(project, Options(reach=reach))


def config(rendered: Rendered) -> dict[str, Any]:  # Any: TOML
    return tomllib.loads(rendered.files["telegraf.conf"].decode())


def plan(rendered: Rendered) -> dict[str, Any]:  # Any: JSON
    (processor,) = config(rendered)["processors"]["starlark"]
    found: dict[str, Any] = json.loads(processor["constants"]["plan"])  # Any: as above
    return found


def opcua_nodes(rendered: Rendered) -> dict[str, dict[str, Any]]:  # Any: TOML
    return {node["id"]: node for plugin in config(rendered)["inputs"]["opcua_listener"] for node in plugin["group"][0]["nodes"]}


def requests(rendered: Rendered) -> list[tuple[int, str, str, list[int]]]:
    return [
        (request["slave_id"], request["register"], request.get("byte_order", ""), [field["address"] for field in request["fields"]])
        for plugin in config(rendered)["inputs"]["modbus"]
        for request in plugin["request"]
    ]


def test_that_nodes_are_addressed_by_uri_so_that_the_order_of_namespaces_does_not_matter() -> None:
    rendered = render(line4_project(()))
    assert f"nsu={LINE};s=Line4/Filler1/FT-101.PV" in opcua_nodes(rendered)
    assert not any("namespaces" in loss.what for loss in rendered.losses)


def test_that_namespace_0_is_written_by_its_index_and_other_characters_as_they_are() -> None:
    project = line4_project()
    changed(project, project.all(Tag)["t-bottles"], address=f"nsu={UA};i=2259")
    changed(project, project.all(Tag)["t-recipe"], address="nsu=urn:50%25off;s=a;b=c")
    nodes = opcua_nodes(render(project))
    assert "ns=0;i=2259" in nodes
    assert "nsu=urn:50%off;s=a;b=c" in nodes


def test_that_a_uri_with_a_semicolon_is_an_error_because_telegraf_cuts_it() -> None:
    project = line4_project()
    changed(project, project.all(Tag)["t-recipe"], address="nsu=urn:a%3Bb;s=x")
    (loss,) = (loss for loss in render(project).losses if loss.place.endswith("Filler 1/recipe"))
    assert loss.severity == "error"
    assert "semicolon" in loss.what


def test_that_rates_queues_and_deadbands_go_to_the_server_in_its_own_scale() -> None:
    project = line4_project()
    changed(project, project.all(Group)["fast"], deadband=0.5, queue_size=3)
    changed(project, project.all(Tag)["t-flow"], gain=-0.1)
    node = opcua_nodes(render(project))[f"nsu={LINE};s=Line4/Filler1/FT-101.PV"]
    assert node["monitoring_params"] == {
        "sampling_interval": "250ms", "queue_size": 3, "discard_oldest": True,
        "data_change_filter": {"trigger": "StatusValue", "deadband_type": "Absolute", "deadband_value": 5.0},
    }  # fmt: skip


def test_that_a_value_which_is_no_number_gets_no_deadband_at_the_server() -> None:
    project = line4_project()
    changed(project, project.all(Group)["slow"], deadband=0.5)
    rendered = render(project)
    assert "data_change_filter" not in opcua_nodes(rendered)[f"nsu={LINE};s=Line4/Filler1/ActiveRecipe"]["monitoring_params"]
    assert any(loss.place.endswith("recipe") and "deadband 0.5" in loss.what for loss in rendered.losses)


def test_that_server_times_come_from_a_session_of_their_own() -> None:
    clocks = {plugin["timestamp"]: plugin for plugin in config(render(line4_project()))["inputs"]["opcua_listener"]}
    assert set(clocks) == {"source", "server"}
    ids = {node["id"] for node in clocks["server"]["group"][0]["nodes"]}
    assert ids == {f"nsu={LINE};s=Line4/Filler1/TT-104.PV", "ns=0;i=2258"}


def test_that_requests_follow_the_plan_and_never_mix_byte_orders() -> None:
    assert requests(render(line4_project())) == [
        (3, "coil", "", [0]),
        (3, "discrete", "", [0]),
        (3, "holding", "ABCD", [112]),
        (4, "holding", "BADC", [14]),
        (3, "holding", "CDAB", [100]),
        (3, "holding", "CDAB", [119]),
        (3, "holding", "CDAB", [140]),
        (3, "holding", "CDAB", [116]),
    ]


def test_that_a_gap_is_read_along_as_registers_that_are_left_out() -> None:
    project = line4_project()
    changed(project, project.all(Endpoint)[METER], settings={"gap": 18})
    (fields,) = (
        request["fields"]
        for plugin in config(render(project))["inputs"]["modbus"]
        for request in plugin["request"]
        if request["fields"][0]["address"] == 100
    )
    named = {field["address"]: field for field in fields if not field.get("omit")}
    assert {address: field["type"] for address, field in named.items()} == {100: "FLOAT32", 119: "UINT16"}
    assert [field["address"] for field in fields if field.get("omit")] == list(range(102, 119))


def test_that_bits_of_one_register_share_its_field_with_the_register_itself() -> None:
    fields = plan(render(line4_project()))["fields"]
    (shared,) = (items for items in fields.values() if len(items) > 1)
    assert {(item["source"], item["bit"]) for item in shared} == {("t-status", None), ("t-alarm", 4)}


def test_that_there_is_one_output_for_each_quality_of_service_and_retain() -> None:
    outputs = config(render(line4_project()))["outputs"]["mqtt"]
    assert [(output["qos"], output["retain"], output["namepass"]) for output in outputs] == [
        (0, True, ["tagloom_qos0_retained"]),
        (1, False, ["tagloom_qos1"]),
    ]


@pytest.mark.parametrize("user", ["anonymous", "password", "certificate"])
def test_that_secrets_are_variables_which_the_example_names(user: str) -> None:
    project = line4_project()
    secured = {"policy": "Basic256Sha256", "mode": "Sign", "user": user, "name": "gw", "secret": "secret://filler/password"}
    changed(project, project.all(Endpoint)[OPCUA], security=secured)
    rendered = render(project)
    text = rendered.files["telegraf.conf"].decode()
    used = {match[2:-3] for match in REFERENCE.findall(text)}
    named = set(re.findall(r"^([A-Z0-9_]+)=", rendered.files[".env.example"].decode(), re.MULTILINE))
    assert used == named
    assert {"OPCUA_FILLER_OPCUA_CERT", "OPCUA_FILLER_OPCUA_KEY"} <= used
    assert ("OPCUA_FILLER_OPCUA_PASSWORD" in used) == (user == "password")
    assert "secret://" not in text


def test_that_a_security_policy_which_telegraf_lacks_leaves_the_endpoint_out_with_errors() -> None:
    project = line4_project()
    changed(project, project.all(Endpoint)[OPCUA], security={"policy": "Aes256_Sha256_RsaPss", "mode": "SignAndEncrypt"})
    rendered = render(project)
    assert "opcua_listener" not in config(rendered)["inputs"]
    refused = [loss for loss in rendered.losses if loss.severity == "error" and "Aes256" in loss.what]
    assert len(refused) == len([m for m in project.all(Mapping).values() if m.asset.startswith("filler")])


@pytest.mark.parametrize("type_", ["guid", "bytes", "struct", "guid[]"])
def test_that_types_which_telegraf_drops_without_a_word_are_errors(type_: str) -> None:
    project = line4_project()
    tag = Tag(id="odd", endpoint=OPCUA, address=f"nsu={LINE};s=odd", name="odd", type=type_)
    attribute = Attribute(id="a-odd", asset_type="filler", name="odd", data_type=type_)
    Editor(project).do(create("Odd", [tag, attribute, Mapping(id="m-odd", asset="filler-1", attribute="a-odd", sources=("odd",))]))
    assert any(loss.place.endswith("/odd") and loss.severity == "error" for loss in render(project).losses)


values = st.recursive(st.text() | st.integers() | st.booleans(), lambda one: st.lists(one, max_size=3), max_leaves=5)


@given(st.dictionaries(st.from_regex(r"[a-z0-9_]{1,8}", fullmatch=True), values | st.just(Reference("X")), max_size=5))
def test_that_no_text_is_read_as_a_variable_and_all_of_it_reads_back(document: dict[str, object]) -> None:
    text = dumps({"a": document}).decode("utf-8")
    back = tomllib.loads(text)["a"]
    assert {key: _plain(value) for key, value in back.items()} == {key: _wanted(value) for key, value in document.items()}
    assert not re.search(r"(?<!\$)(\$\$)*\$(?!\$)(?!\{X:-\})", text)


def _plain(value: object) -> object:
    """As Telegraf reads it after its replacements."""
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value.replace("$$", "$") if isinstance(value, str) and value != "${X:-}" else value


def _wanted(value: object) -> object:
    if isinstance(value, list):
        return [_wanted(part) for part in value]
    return str(value) if isinstance(value, Reference) else value


def test_that_a_key_or_a_variable_can_never_come_from_a_project() -> None:
    with pytest.raises(ValueError, match="not a key"):
        dumps({"a": {"${X}": 1}})
    with pytest.raises(ValueError, match="not a name"):
        Reference("x}")


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=30))
def test_that_a_hostile_name_changes_nothing_but_the_texts_it_stands_in(name: str) -> None:
    project = line4_project()
    changed(project, project.all(Asset)["filler-1"], description=name)
    changed(project, project.all(Endpoint)[OPCUA], name=name, description=name)
    changed(project, project.all(Tag)["t-flow"], name=name)
    plain = line4_project()
    assert render(project).files == render(plain).files


@given(st.text(st.characters(codec="utf-8", exclude_characters="+#/", exclude_categories=["Cc"]), min_size=1, max_size=20))
def test_that_an_asset_name_arrives_as_it_is(name: str) -> None:
    project = line4_project()
    changed(project, project.all(Asset)["meter-1"], name=name)
    rendered = render(project)
    heads = [asset["head"]["asset"] for asset in plan(rendered)["assets"]]
    topics = [asset["topic"] for asset in plan(rendered)["assets"]]
    assert f"ACME/Plant 1/Packaging/{name}" in heads
    assert f"ACME/Plant 1/Packaging/{name}" in topics
    assert set(re.findall(r"\$\{?[A-Za-z_]", rendered.files["telegraf.conf"].decode())) <= {"${M"}


@pytest.mark.parametrize(
    ("url", "want"),
    [
        ("modbus://[::1]:99", {"controller": "tcp://[::1]:99"}),
        ("modbus-rtutcp://moxa:4001", {"controller": "tcp://moxa:4001", "transmission_mode": "RTUoverTCP"}),
        (
            "modbus-rtu:/dev/ttyUSB0?baudrate=9600&parity=N&stopbits=2",
            {
                "controller": "file:///dev/ttyUSB0", "transmission_mode": "RTU", "baud_rate": 9600, "data_bits": 8, "parity": "N",
                "stop_bits": 2,
            },
        ),
        ("modbus-rtu:COM3", {"controller": "COM3", "baud_rate": 19200, "parity": "E", "stop_bits": 1}),
    ],
)  # fmt: skip
def test_that_each_kind_of_modbus_line_is_opened_as_its_url_says(url: str, want: dict[str, object]) -> None:
    for plugin in config(render(line4_project(), **{METER: url}))["inputs"]["modbus"]:
        assert {key: plugin[key] for key in want} == want


def test_that_one_serial_line_is_polled_by_one_plugin_and_what_that_costs_is_told() -> None:
    project = line4_project()
    assert len(config(render(project))["inputs"]["modbus"]) > 1
    rendered = render(project, **{METER: "modbus-rtu:/dev/ttyUSB0"})
    (plugin,) = config(rendered)["inputs"]["modbus"]
    assert sum(len(other["request"]) for other in config(render(project))["inputs"]["modbus"]) == len(plugin["request"])
    whats = [loss.what for loss in rendered.losses]
    assert any("poll rates on one serial line" in what for what in whats)
    assert any("quiet line" in what for what in whats)


def test_that_modbus_over_tls_is_refused_attribute_by_attribute() -> None:
    rendered = render(line4_project(), **{METER: "modbus-tls://meter"})
    assert "modbus" not in config(rendered)["inputs"]
    refused = [loss for loss in rendered.losses if "Modbus over TLS" in loss.what]
    assert refused
    assert {loss.severity for loss in refused} == {"error"}

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest

from app.edits import Editor
from app.edits.edit import create
from app.errors import UserError
from app.gateways import Loss, Options, Rendered
from app.gateways.node_red import EXPORTER
from app.gateways.node_red_flows import FlowSheet
from app.model.itmodel import Asset
from app.model.mapping import Mapping
from app.model.plant import Endpoint, Group, Security, Tag
from app.model.project import Project, ProjectInfo
from tests.factory import LINE, METER, OPCUA, PLC, UA, changed, line4_project

CONFIG_NODES = {"mqtt-broker", "OpcUa-Endpoint", "modbus-client"}
LITERAL = re.compile(r"JSON\.parse\((\"(?:[^\"\\]|\\.)*\")\)")


def render(project: Project, **reach: str) -> Rendered:
    return EXPORTER.render(project, Options(reach=reach))


def nodes(rendered: Rendered) -> list[dict[str, Any]]:  # Any: JSON
    found: list[dict[str, Any]] = json.loads(rendered.files["flows.json"])  # Any: as above
    return found


def one(rendered: Rendered, kind: str) -> dict[str, Any]:  # Any: JSON
    (found,) = (node for node in nodes(rendered) if node["type"] == kind)
    return found


def data_in(program: str) -> Any:  # Any: JSON
    """What a function node hands to JSON.parse."""
    (literal,) = LITERAL.findall(program)
    return json.loads(json.loads(literal))


def function(rendered: Rendered, name: str) -> dict[str, Any]:  # Any: JSON
    (found,) = (node for node in nodes(rendered) if node["type"] == "function" and node["name"] == name)
    return found


def subscriptions(rendered: Rendered) -> dict[str, dict[str, Any]]:  # Any: JSON
    return {item["topic"]: item for item in data_in(function(rendered, "Subscribe filler-opcua")["initialize"])}


def test_that_ids_are_16_hex_digits_once_each_and_every_wire_leads_somewhere() -> None:
    found = nodes(render(line4_project()))
    ids = Counter(node["id"] for node in found)
    assert set(ids.values()) == {1}
    assert all(re.fullmatch(r"[0-9a-f]{16}", id_) for id_ in ids)
    for node in found:
        assert all(target in ids for output in node.get("wires", []) for target in output)
        assert node.get("z", found[0]["id"]) in ids


def test_that_everything_but_configuration_has_a_place_of_its_own_on_the_canvas() -> None:
    found = [node for node in nodes(render(line4_project())) if node["type"] != "tab"]
    for node in found:
        assert ("x" in node and "y" in node and "wires" in node) != (node["type"] in CONFIG_NODES)
    places = Counter((node["x"], node["y"]) for node in found if "x" in node)
    assert set(places.values()) == {1}


def test_that_no_property_equals_the_id_of_a_node_by_chance() -> None:
    """It would count as a reference, and make a circle of configuration nodes."""
    found = nodes(render(line4_project()))
    ids = {node["id"] for node in found}
    for node in found:
        references = {key for key, value in node.items() if isinstance(value, str) and value in ids}
        assert references <= {"id", "z", "broker", "endpoint", "server"}


def test_that_node_ids_carry_the_index_of_their_uri_in_the_order_last_seen() -> None:
    topics = subscriptions(render(line4_project((UA, PLC, "urn:x", LINE))))
    assert "ns=3;s=Line4/Filler1/FT-101.PV" in topics
    assert 'ns=1;s="DB_Filler"."rFillFlow"' in topics


def test_that_a_namespace_which_the_server_did_not_have_is_an_error_and_left_out() -> None:
    rendered = render(line4_project((UA, LINE)))
    assert not any("DB_Filler" in topic for topic in subscriptions(rendered))
    (loss,) = (loss for loss in rendered.losses if loss.place.endswith("Filler 2/fillFlow"))
    assert loss.severity == "error"
    assert PLC in loss.what


def test_that_the_loss_of_addressing_by_index_names_the_order() -> None:
    (loss,) = (loss for loss in render(line4_project((UA, LINE, PLC))).losses if "by index only" in loss.what)
    assert loss.place == "filler-opcua"
    assert f"1 = {LINE}" in loss.what


def test_that_rates_come_from_the_group_and_the_fastest_goes_first() -> None:
    rendered = render(line4_project())
    items = data_in(function(rendered, "Subscribe filler-opcua")["initialize"])
    assert [item["interval"] for item in items[:2]] == [250, 250]
    assert items[-1]["topic"] == "ns=0;i=2258"
    assert subscriptions(rendered)["ns=2;s=Line4/Filler1/FT-101.PV"]["queueSize"] == 10


def test_that_a_rate_which_the_client_ignores_is_raised_and_said() -> None:
    project = line4_project()
    changed(project, project.all(Group)["fast"], interval_ms=50)
    rendered = render(project)
    assert subscriptions(rendered)["ns=2;s=Line4/Filler1/FT-101.PV"]["interval"] == 101
    assert any(loss.what == "sampling every 50 ms" for loss in rendered.losses)


def test_that_two_tags_of_one_node_share_its_subscription() -> None:
    """The client knows a node once; a second subscription would be ignored."""
    project = line4_project()
    twin = Tag(id="twin", endpoint=OPCUA, address=f"nsu={LINE};s=Line4/Filler1/BottleCount", name="twin", type="uint32", group="fast")
    mapping = Mapping(id="m-twin", asset="filler-2", attribute="a-filler-bottles", sources=("twin",))
    Editor(project).do(create("Twin", [twin, mapping]))
    rendered = render(project)
    assert subscriptions(rendered)["ns=2;s=Line4/Filler1/BottleCount"]["interval"] == 250
    plan = data_in(function(rendered, "Deliver")["initialize"])
    fed = [a["source"] for asset in plan["assets"] for a in asset["attributes"] if a["key"] == "bottles"]
    assert len(fed) == 2
    assert len(set(fed)) == 1


def test_that_registers_are_read_in_planned_blocks_at_their_rates() -> None:
    blocks = data_in(function(render(line4_project()), "Polls of meter-modbus")["initialize"])
    shapes = [(block["unitid"], block["fc"], block["address"], block["quantity"], block["interval_ms"]) for block in blocks]
    assert shapes == [
        (3, 1, 0, 1, 1000), (3, 2, 0, 1, 1000), (3, 3, 100, 2, 1000), (3, 3, 112, 8, 1000), (3, 3, 140, 8, 1000), (4, 3, 14, 2, 1000),
        (3, 3, 116, 1, 2000),
    ]  # fmt: skip
    alarm = next(item for block in blocks for item in block["items"] if item["source"] == "t-alarm")
    assert (alarm["at"], alarm["bit"]) == (7, 4)


def test_that_the_gap_setting_of_the_endpoint_decides_what_is_read_along() -> None:
    project = line4_project()
    changed(project, project.all(Endpoint)[METER], settings={"gap": 100, "max_registers": 48})
    blocks = data_in(function(render(project), "Polls of meter-modbus")["initialize"])
    assert (3, 100, 48) in {(block["fc"], block["address"], block["quantity"]) for block in blocks}


def test_that_reach_decides_where_the_clients_connect() -> None:
    rendered = render(line4_project(), **{OPCUA: "opc.tcp://127.0.0.1:5", METER: "modbus://[::1]:99?unit=7"})
    assert one(rendered, "OpcUa-Endpoint")["endpoint"] == "opc.tcp://127.0.0.1:5"
    client = one(rendered, "modbus-client")
    assert (client["tcpHost"], client["tcpPort"], client["unit_id"]) == ("::1", "99", "7")


@pytest.mark.parametrize(
    ("user", "variables"),
    [("password", {"USER", "PASSWORD"}), ("certificate", {"CERT", "KEY"})],
)  # fmt: skip
def test_that_log_ins_are_variables_which_the_example_names(user: str, variables: set[str]) -> None:
    project = line4_project()
    security = Security(policy="Basic256Sha256", mode="SignAndEncrypt", user="password", name="gw", secret="secret://filler/password")
    changed(project, project.all(Endpoint)[OPCUA], security=_with_user(security, user))
    rendered = render(project)
    wanted = {f"OPCUA_FILLER_OPCUA_{name}" for name in variables}
    text = b"".join(rendered.files.values()).decode()
    assert wanted <= set(re.findall(r"\$\{([A-Z0-9_]+)\}", text))
    assert wanted <= set(re.findall(r"^([A-Z0-9_]+)=$", rendered.files[".env.example"].decode(), re.MULTILINE))
    assert "secret://" not in text
    endpoint = one(rendered, "OpcUa-Endpoint")
    assert (endpoint["secpol"], endpoint["secmode"]) == ("Basic256Sha256", "SignAndEncrypt")
    assert Loss("filler-opcua", "trust in the server's certificate", "contrib-opcua accepts any certificate") in rendered.losses


def _with_user(security: Security, user: str) -> dict[str, object]:
    return {"policy": security.policy, "mode": security.mode, "user": user, "name": security.name, "secret": security.secret}


@pytest.mark.parametrize("name", ["${HOME}", "$(HOME)", "</script>", '"); process.exit(1); ("', "\u2028", "`${1}`", "__proto__"])
def test_that_a_name_is_data_everywhere_and_never_a_variable_or_program_text(name: str) -> None:
    project = line4_project()
    changed(project, project.all(Endpoint)[OPCUA], name=name)
    changed(project, project.all(Asset)["filler-1"], name=name)
    rendered = render(project)
    for node in nodes(rendered):
        for value in node.values():
            if isinstance(value, str) and re.fullmatch(r"\$\{\S+\}|\$\(\S+\)", value):
                assert value in ("${MQTT_HOST}", "${MQTT_PORT}")
    program = function(rendered, "Deliver")["initialize"]
    assert any(asset["head"]["asset"].endswith(f"/{name}") for asset in data_in(program)["assets"])
    plain = function(render(line4_project()), "Deliver")["initialize"]
    assert LITERAL.sub("", program) == LITERAL.sub("", plain)


def test_that_what_cannot_be_read_is_an_error() -> None:
    project = line4_project()
    changed(project, project.all(Tag)["t-recipe"], address=f"nsu={LINE};s=a;datatype=b")
    losses = {loss.place: loss.what for loss in render(project).losses if loss.severity == "error"}
    assert "datatype" in losses["ACME/Plant 1/Packaging/Line 4/Filler 1/recipe"]
    structured = line4_project()
    changed(structured, structured.all(Tag)["t-volumes"], type="struct")
    assert any(loss.severity == "error" and loss.place.endswith("lastVolumes") for loss in render(structured).losses)


def test_that_a_project_without_anything_gives_files_that_can_be_started() -> None:
    rendered = render(Project(ProjectInfo(id="p", name="Empty")))
    assert data_in(function(rendered, "Deliver")["initialize"])["assets"] == []
    assert rendered.losses == []


def test_that_an_option_which_makes_no_sense_is_refused() -> None:
    with pytest.raises(UserError):
        EXPORTER.render(line4_project(), Options(values={"collect_ms": "soon"}))


def test_that_two_nodes_of_one_id_are_a_bug_that_shows() -> None:
    sheet = FlowSheet()
    sheet.add_config("modbus-client", "a")
    with pytest.raises(ValueError, match="one id"):
        sheet.add_config("modbus-client", "a")


@pytest.mark.parametrize(
    ("url", "want"),
    [
        ("modbus-rtutcp://moxa:4001", {"clienttype": "tcp", "tcpType": "TCP-RTU-BUFFERED", "tcpHost": "moxa", "tcpPort": "4001"}),
        (
            "modbus-rtu:/dev/ttyUSB0?baudrate=9600&parity=O&stopbits=2",
            {
                "clienttype": "simpleser", "serialPort": "/dev/ttyUSB0", "serialBaudrate": "9600", "serialParity": "odd",
                "serialStopbits": "2", "serialDatabits": "8", "serialType": "RTU-BUFFERD",
            },
        ),
        ("modbus-rtu:COM3", {"serialPort": "COM3", "serialBaudrate": "19200", "serialParity": "even", "serialStopbits": "1"}),
    ],
)  # fmt: skip
def test_that_each_kind_of_modbus_line_is_opened_as_its_url_says(url: str, want: dict[str, str]) -> None:
    rendered = render(line4_project(), **{METER: url})
    client = one(rendered, "modbus-client")
    assert {key: client[key] for key in want} == want
    assert any("quiet line" in loss.what for loss in rendered.losses)
    assert any("serial port" in loss.what for loss in rendered.losses) is url.startswith("modbus-rtu:")


def test_that_modbus_over_tls_is_refused_attribute_by_attribute() -> None:
    rendered = render(line4_project(), **{METER: "modbus-tls://meter"})
    assert not [node for node in json.loads(rendered.files["flows.json"]) if node["type"] == "modbus-client"]
    assert {loss.severity for loss in rendered.losses if "Modbus over TLS" in loss.what} == {"error"}

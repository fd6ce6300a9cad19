"""What can be asked of a real OPC UA server beyond browsing and reading: references, methods, where a node stands, what it holds."""

from collections.abc import Iterator, Sequence
from time import monotonic
from typing import Any, TypeVar

import pytest

from app.drivers.base import Item, Wire
from app.drivers.opcua import requests
from app.drivers.opcua.questions import (
    Contents,
    CrawlBelow,
    FoundNodes,
    Line,
    MethodSignature,
    NodeContents,
    Place,
    Places,
    ReferencePage,
    References,
    Resolve,
    Signature,
)
from app.drivers.opcua.session import OpcUaSession
from app.drivers.questions import Question
from app.errors import EndpointError
from tests.peers.opcua_connection import connected
from tests.peers.opcua_peer import LINE, OpcUaPeer, opcua_peer

UA = "nsu=http://opcfoundation.org/UA/;"
OBJECTS = UA + "i=85"
A = TypeVar("A", bound=Wire)


@pytest.fixture(scope="module")
def peer() -> Iterator[OpcUaPeer]:
    with opcua_peer("--many", "300", "--page", "40") as running:
        yield running


async def all_of(session: OpcUaSession, question: Question, kind: type[A]) -> list[A]:
    answers = [answer async for answer in session.ask(question)]
    assert all(isinstance(answer, kind) for answer in answers)
    return [answer for answer in answers if isinstance(answer, kind)]


async def one_of(session: OpcUaSession, question: Question, kind: type[A]) -> A:
    (answer,) = await all_of(session, question, kind)
    return answer


def shown(lines: tuple[Line, ...]) -> list[str]:
    """As a person sees them."""
    return [f"{'  ' * line.level}{line.name}: {line.text}" + (f" [{line.type}]" if line.type else "") for line in lines]


# --- crawling


@pytest.mark.parametrize("parents", [0, 1])
async def test_that_no_server_is_asked_what_is_below_properties_alone(
    peer: OpcUaPeer, parents: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    browse = requests.browse

    def counted(nodes: Sequence[bytes], *how: Any, **more: Any) -> bytes:
        asked.append(len(nodes))
        return browse(nodes, *how, **more)

    monkeypatch.setattr(requests, "browse", counted)
    async with connected(peer.url) as session:
        found = [name async for page in session._browser.crawl(LINE + "s=Nodes.Mix", 100, parents=parents) for name in page.name]
    assert found == ["InputArguments", "OutputArguments"]
    assert asked
    assert all(asked), "node-opcua answers BadNothingToDo to none, and the whole crawl would end"


async def test_that_no_request_is_sent_for_nothing(peer: OpcUaPeer) -> None:
    async with connected(peer.url) as session:
        services = session._services
        before = dict(services.requests)
        answers = [await services.read([]), await services.browse([]), await services.translate([]), await services.read_plain([], 1)]
        assert answers == [[], [], [], []]
        assert services.requests == before


# --- references


async def test_that_all_references_come_both_ways_and_of_every_kind(peer: OpcUaPeer) -> None:
    async with connected(peer.url) as session:
        page = await one_of(session, References(node=LINE + "s=Nodes.Source"), ReferencePage)
    rows = {(row.type_name, row.inverse_name, row.forward, row.name, row.node_class, row.type_definition) for row in page.references}
    assert rows == {
        ("Organizes", "OrganizedBy", False, "Nodes", "object", "FolderType"),
        ("HasTypeDefinition", "TypeDefinitionOf", True, "BaseObjectType", "object type", ""),
        ("GeneratesEvent", "GeneratedBy", True, "BaseEventType", "object type", ""),
        ("Organizes", "OrganizedBy", True, "Far away", "object", "BaseObjectType"),
        ("HasComponent", "ComponentOf", True, "Lost", "object", "BaseObjectType"),
    }
    targets = {row.name: row.target for row in page.references}
    assert targets["Nodes"] == LINE + "s=Nodes"
    assert targets["Far away"] == "svr=1;nsu=urn:peer:elsewhere;s=Far", "a node on another server is shown, and not as one of this"


async def test_that_many_references_come_page_by_page_and_none_is_missing(peer: OpcUaPeer) -> None:
    async with connected(peer.url) as session:
        pages = await all_of(session, References(node=LINE + "s=Big"), ReferencePage)
    assert [len(page.references) for page in pages] == [40] * 7 + [22]
    assert len({row.target for page in pages for row in page.references if row.type_name == "HasComponent"}) == 300


async def test_that_a_reader_who_stops_early_gives_the_continuation_point_back(peer: OpcUaPeer) -> None:
    points = Item(address=LINE + "s=Points")
    async with connected(peer.url) as session:
        answers = session.ask(References(node=LINE + "s=Big"))
        await anext(answers)
        await answers.aclose()  # type: ignore[attr-defined]  # it is a generator
        last = (await session.read([points])).sample(0).source_ns
        deadline_s = monotonic() + 5.0
        while (held := (await session.read([points])).sample(0)).source_ns == last:
            assert monotonic() < deadline_s
    assert held.value == 0


async def test_that_references_of_no_node_are_an_error_in_words(peer: OpcUaPeer) -> None:
    async with connected(peer.url) as session:
        with pytest.raises(EndpointError, match=r"Cannot read the references .*BadNodeId"):
            await all_of(session, References(node=LINE + "s=none"), ReferencePage)
        with pytest.raises(EndpointError, match="no namespace urn:nobody"):
            await all_of(session, References(node="nsu=urn:nobody;i=1"), ReferencePage)


# --- methods


async def test_that_a_method_tells_its_arguments_with_arrays_and_named_types(peer: OpcUaPeer) -> None:
    async with connected(peer.url) as session:
        mix = await one_of(session, MethodSignature(node=LINE + "s=Nodes.Mix"), Signature)
        stop = await one_of(session, MethodSignature(node=LINE + "s=Nodes.Stop"), Signature)
    assert [(argument.name, argument.type, argument.description) for argument in mix.inputs] == [
        ("Setpoint", "float64", "litres"),
        ("Orders", "Order (struct)[]", ""),
        ("Mode", "Mode (enum)", ""),
    ]
    assert [(argument.name, argument.type) for argument in mix.outputs] == [("Grid", "int32[2 × 3]")]
    assert (mix.executable, mix.user_executable) == (True, True)
    assert (stop.inputs, stop.outputs) == ((), ())


async def test_that_what_is_no_method_has_no_signature(peer: OpcUaPeer) -> None:
    async with connected(peer.url) as session:
        with pytest.raises(EndpointError, match="it is no method but of node class object"):
            await all_of(session, MethodSignature(node=LINE + "s=Line1"), Signature)


# --- where nodes stand


async def places(session: OpcUaSession, *texts: str) -> list[Place]:
    return list((await one_of(session, Resolve(texts=texts), Places)).places)


@pytest.mark.parametrize(
    "text",
    [LINE + "i=1003", "ns=2;i=1003", "/Objects/2:Line1/2:Speed", "Line1/Speed", "/Objects/Line1/Speed", "  Line1/Speed "],
)
async def test_that_a_node_that_was_never_browsed_is_found_by_every_way_of_writing_it(peer: OpcUaPeer, text: str) -> None:
    async with connected(peer.url) as session:
        (place,) = await places(session, text)
    assert (place.id, place.name, place.node_class, place.path) == (LINE + "i=1003", "Speed", "variable", "Line1/Speed")
    assert [step.id for step in place.way] == [OBJECTS, LINE + "s=Line1", LINE + "i=1003"]
    assert [step.name for step in place.way] == ["Objects", "Line1", "Speed"]


async def test_that_the_way_up_ends_where_nodes_refer_in_circles(peer: OpcUaPeer) -> None:
    async with connected(peer.url) as session:
        loop, line, type_, ring = await places(session, LINE + "s=Loop", LINE + "s=Line1", "i=61", LINE + "s=Nodes.RingA")
    assert [step.name for step in loop.way] == ["Objects", "Line1", "Loop"]
    assert (ring.name, ring.way) == ("RingA", ())
    assert [step.name for step in line.way] == ["Objects", "Line1"]
    assert [step.name for step in type_.way] == ["Types", "ObjectTypes", "BaseObjectType", "FolderType"]


async def test_that_a_node_without_inverse_references_is_placed_by_its_path(peer: OpcUaPeer) -> None:
    async with connected(peer.url) as session:
        (unplaced,) = await places(session, LINE + "s=Nodes.Lost")
        (by_path,) = await places(session, "Nodes/Source/Lost")
        await session.browse([LINE + "s=Nodes.Source"])
        (browsed,) = await places(session, LINE + "s=Nodes.Lost")
    assert (unplaced.name, unplaced.way, unplaced.error) == ("Lost", (), "")
    assert [step.name for step in by_path.way] == ["Objects", "Nodes", "Source", "Lost"]
    assert browsed.way == by_path.way


async def test_that_each_text_that_means_nothing_says_why_and_the_others_are_found(peer: OpcUaPeer) -> None:
    async with connected(peer.url) as session:
        gone, index, nope, deeper, empty, found = await places(
            session, "ns=2;s=gone", "ns=99;i=1", "Line1/Nope", "/Objects/Line1/Nope", "", "i=2258"
        )
    assert "BadNodeIdUnknown" in gone.error
    assert "namespace index 99 does not exist" in index.error
    assert nope.error == deeper.error == "nothing below Line1 is called Nope"
    assert "empty" in empty.error
    assert (found.name, found.error) == ("CurrentTime", "")


# --- what variables hold


async def contents(session: OpcUaSession, node: str) -> NodeContents:
    return await one_of(session, Contents(node=LINE + node), NodeContents)


async def test_that_a_structure_is_shown_member_by_member_with_names_of_states_and_bits(peer: OpcUaPeer) -> None:
    async with connected(peer.url) as session:
        order = await contents(session, "s=Nodes.Order")
    assert shown(order.value) == [
        "Value:  [Order (struct)]",
        "  Name: Cola [string]",
        "  Mode: 1 (Auto) [Mode (enum)]",
        "  Faults: 5 (Door, bit 2) [Faults (option set)]",
        "  Corner:  [Corner (struct)]",
        "    X: 3 [int16]",
        "    Y: 4 [int16]",
        "  Corners: 2 elements [Corner (struct)[1]]",
        "    [0]:  [Corner (struct)]",
        "      X: 1 [int16]",
        "      Y: 2 [int16]",
        "    [1]:  [Corner (struct)]",
        "      X: 5 [int16]",
        "      Y: 6 [int16]",
        "  Grid: 2 × 3 elements [int32[2 × 3]]",
        "    [0]: 1, 2, 3",
        "      [0]: 1 [int32]",
        "      [1]: 2 [int32]",
        "      [2]: 3 [int32]",
        "    [1]: 4, 5, 6",
        "      [0]: 4 [int32]",
        "      [1]: 5 [int32]",
        "      [2]: 6 [int32]",
    ]


async def test_that_a_data_type_is_explained_down_to_its_innermost_members(peer: OpcUaPeer) -> None:
    async with connected(peer.url) as session:
        by_type = await contents(session, "s=Type.Order")
        by_variable = await contents(session, "s=Nodes.Orders")
    assert by_type.value == ()
    assert by_type.definition == by_variable.definition
    assert shown(by_type.definition) == [
        "Order (struct): structure with optional fields",
        "  Name:  [string]",
        "  Mode:  [Mode (enum)]",
        "    0: Manual",
        "    1: Auto",
        "  Faults:  [Faults (option set)]",
        "    bit 0: Door",
        "    bit 1: Air",
        "  Corner:  [Corner (struct)]",
        "    X: to the right [int16]",
        "    Y:  [int16]",
        "  Corners:  [Corner (struct)[1]]",
        "    X: to the right [int16]",
        "    Y:  [int16]",
        "  Grid:  [int32[2 × 3]]",
        "  Extra: optional [float64]",
    ]


async def test_that_a_variable_of_an_open_type_is_explained_by_what_it_holds(peer: OpcUaPeer) -> None:
    async with connected(peer.url) as session:
        recipe = await contents(session, "s=Structures.Recipe")  # declared as Structure, from which all are derived
    assert recipe.definition[0].name == "Recipe (struct)"
    assert recipe.value[0].type == "Recipe (struct)"


@pytest.mark.parametrize(
    ("node", "value", "definition"),
    [
        ("s=Nodes.Faults", ["Value: 3 (Door, Air) [Faults (option set)]"], "Faults (option set): option set"),
        ("s=Nodes.Light", ["Value: 1 (Green) [Light (enum)]"], "Light (enum): enumeration"),
        (
            "s=Nodes.Doors",
            ["Value: Front [Doors (option set)]", "  Value: 05", "  ValidBits: 03"],
            "Doors (option set): option set",
        ),
        (
            "s=Nodes.Old",
            [
                "Value: raw, 2 bytes: the server does not describe it (OPC UA 1.03 or older) [Old (struct)]",
                f"  type id: {LINE}s=Type.Old.Binary",
                "  bytes: 01 fe",
            ],
            "Old (struct): the server does not describe it (OPC UA 1.03 or older)",
        ),
    ],
)
async def test_that_bits_states_and_the_undescribed_are_shown_for_what_they_are(
    peer: OpcUaPeer, node: str, value: list[str], definition: str
) -> None:
    async with connected(peer.url) as session:
        held = await contents(session, node)
    assert shown(held.value) == value
    assert shown(held.definition)[0] == definition


async def test_that_a_body_that_does_not_fit_its_description_is_shown_raw_and_whole(peer: OpcUaPeer) -> None:
    async with connected(peer.url) as session:
        held = await contents(session, "s=Nodes.TooLong")
        read = (await session.read([Item(address=LINE + "s=Nodes.TooLong")])).sample(0).value
    assert held.value[0].text == "raw, 71 bytes: it is not what the server describes"
    assert len(bytes.fromhex(held.value[2].text)) == 71
    assert isinstance(read, dict)
    assert set(read) == {"raw", "type"}


async def test_that_names_of_states_come_from_the_property_of_an_older_server_too(peer: OpcUaPeer) -> None:
    async with connected(peer.url) as session:
        (light,) = await session.details([LINE + "s=Nodes.Light"])
    assert (light.type, light.enum) == ("enum", {"0": "Red", "1": "Green"})


async def test_that_details_say_attributes_in_words(peer: OpcUaPeer) -> None:
    async with connected(peer.url) as session:
        order, type_, method, pressure = await session.details(
            [LINE + "s=Nodes.Order", LINE + "s=Type.Order", LINE + "s=Nodes.Mix", LINE + "i=2001"]
        )
    lines = [{line.name: line.text for line in node.attributes} for node in (order, type_, method, pressure)]
    assert lines[0]["NodeId by index"] == "ns=2;s=Nodes.Order"
    assert (lines[0]["AccessLevel"], lines[0]["Historizing"], lines[0]["ValueRank"]) == ("read", "no", "scalar")
    assert lines[1]["DataTypeDefinition"] == "structure with optional fields: Name, Mode, Faults, Corner, Corners, Grid, Extra"
    assert lines[2]["Executable"] == "yes"
    assert lines[3]["AccessLevel"] == "read, write"


# --- everything below


async def test_that_a_crawl_finds_what_is_below_and_keeps_to_its_rate(peer: OpcUaPeer) -> None:
    async with connected(peer.url) as session:
        begin_s = monotonic()
        pages = await all_of(session, CrawlBelow(node=LINE + "s=Big", per_s=400), FoundNodes)
        taken_s = monotonic() - begin_s
    assert len({node.id for page in pages for node in page.nodes}) == 300
    assert {node.path for page in pages for node in page.nodes} == {f"Big/V{number}" for number in range(300)}
    assert taken_s >= 300 / 400, "301 nodes were asked about faster than 400 a second"


async def test_that_a_crawl_ends_at_its_limit(peer: OpcUaPeer) -> None:
    async with connected(peer.url) as session:
        pages = await all_of(session, CrawlBelow(node="", limit=25, per_s=10_000), FoundNodes)
    assert sum(len(page.nodes) for page in pages) == 25


async def test_that_a_question_of_another_driver_is_refused(peer: OpcUaPeer) -> None:
    class Foreign(Question, frozen=True, kw_only=True, tag="nobody.knows"):
        ANSWERS = Wire

    async with connected(peer.url) as session:
        with pytest.raises(EndpointError, match="does not know it"):
            await all_of(session, Foreign(), Wire)

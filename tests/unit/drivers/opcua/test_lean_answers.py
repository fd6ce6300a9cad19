"""Answers to Read and Browse, decoded lean: what asyncua's decoder makes of the same bytes; lies are refused."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import nodeid_from_binary, nodeid_to_binary, struct_from_binary, struct_to_binary
from hypothesis import given, settings
from hypothesis import strategies as st

from app.drivers.opcua import requests
from app.drivers.opcua.binary import DataValue, DecodingError, ResultError, decoded_with, passed_response_header
from app.drivers.opcua.browsed import Found, Reference
from app.drivers.opcua.references import Browsed, plain_node
from app.drivers.opcua.requests import all_forms, numeric
from app.drivers.opcua.values import Repertoire, plain_values
from app.drivers.opcua.values import data_values as lean_values
from tests.unit.drivers.opcua.notification_values import NAMESPACES, _node, data_values, localized, named, node_ids, plain_value, ua

repeated = st.lists(st.tuples(st.lists(data_values, min_size=1, max_size=5), st.integers(1, 40)), max_size=3)
"""Runs of one value, several in turn over and over, and single ones."""

expanded = st.one_of(
    node_ids,
    node_ids.map(lambda node: ua.NodeId(node.Identifier, node.NamespaceIndex, node.NodeIdType)),
    st.builds(ua.NodeId, st.integers(0, 255), st.just(0)),
    st.builds(
        lambda node, uri, server: ua.ExpandedNodeId(node.Identifier, node.NamespaceIndex, node.NodeIdType, uri, server),
        node_ids, st.none() | st.sampled_from([NAMESPACES[2], "urn:elsewhere"]), st.none() | st.integers(0, 3),
    ),
)  # fmt: skip
references = st.builds(
    ua.ReferenceDescription,
    ReferenceTypeId=st.sampled_from([ua.NodeId(35), ua.NodeId(47), ua.NodeId(17603), ua.NodeId(5, 2)]), IsForward=st.booleans(),
    NodeId=expanded, BrowseName=named, DisplayName=localized, NodeClass=st.sampled_from(list(ua.NodeClass)), TypeDefinition=expanded,
)  # fmt: skip
results = st.builds(
    lambda status, point, some: ua.BrowseResult(ua.StatusCode(status), point, some),
    st.sampled_from([0, 0, 0, 0x80340000]), st.none() | st.binary(max_size=5), st.lists(references, max_size=4),
)  # fmt: skip


def read_answer(values: Sequence[Any]) -> bytes:
    answer = ua.ReadResponse()
    answer.Results = list(values)
    return bytes(struct_to_binary(answer))


def browse_answer(some: Sequence[Any]) -> bytes:
    answer = ua.BrowseResponse()
    answer.Results = list(some)
    return bytes(struct_to_binary(answer))


def read(data: bytes) -> list[DataValue]:
    return decoded_with(lean_values, passed_response_header(data, NAMESPACES))


def browsed(data: bytes) -> list[Found]:
    return Browsed(NAMESPACES).results(data)


@settings(max_examples=60)
@given(repeated)
def test_that_a_read_answer_is_decoded_as_asyncuas_decoder_does(mix: list[tuple[list[Any], int]]) -> None:
    data = read_answer([value for some, times in mix for value in some * times])
    expected = [plain_value(value) for value in struct_from_binary(ua.ReadResponse, Buffer(data)).Results]
    assert repr(read(data)) == repr(expected)  # by repr: NaN, and True is not 1
    for repertoire in (None, Repertoire()):
        for _ in range(3):  # met, known, used
            found = decoded_with(partial(plain_values, repertoire=repertoire), passed_response_header(data, NAMESPACES))
            assert repr([whole(mine, theirs) for mine, theirs in zip(found, expected, strict=True)]) == repr(expected)


def whole(mine: Any, theirs: DataValue) -> DataValue:
    """What is given as itself is good, of one value, and without times."""
    return mine if isinstance(mine, DataValue) else DataValue(theirs.builtin, False, mine, 0, 0, 0)


@pytest.mark.parametrize("kind", ["Boolean", "SByte", "Byte", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64", "Float", "Double"])
def test_that_runs_of_records_are_taken_whole_and_end_where_their_shape_does(kind: str) -> None:
    number = ua.VariantType[kind]
    values = [ua.DataValue(ua.Variant(place % 2 if kind == "Boolean" else place % 120, number), None) for place in range(700)]
    values[300:300] = [ua.DataValue(ua.Variant("word"), None), ua.DataValue(ua.Variant(1, number), ua.StatusCode(0x40900000))]
    data = read_answer(values)
    assert repr(read(data)) == repr([plain_value(value) for value in struct_from_binary(ua.ReadResponse, Buffer(data)).Results])


@settings(max_examples=60)
@given(st.lists(st.sampled_from([1, 2.5, True, "word", "wörd", "", "a longer text that is not short any more" * 3, None]), max_size=200))
def test_that_plain_values_without_times_are_themselves(some: list[Any]) -> None:
    data = read_answer([ua.DataValue(ua.Variant(value), None) for value in some])
    found = decoded_with(plain_values, passed_response_header(data, NAMESPACES))
    expected = [plain_value(value) for value in struct_from_binary(ua.ReadResponse, Buffer(data)).Results]
    assert repr(found) == repr([whole.value if whole.builtin else whole for whole in expected])


def test_that_records_of_one_size_and_type_with_other_fields_are_told_apart() -> None:
    when = datetime(2026, 3, 1, tzinfo=UTC)
    values = [ua.DataValue(ua.Variant(float(place)), None, SourceTimestamp=when) for place in range(50)]
    values += [ua.DataValue(ua.Variant(float(place)), None, ServerTimestamp=when) for place in range(50)]
    found = read(read_answer(values))
    assert [bool(value.source_ticks) for value in found] == [True] * 50 + [False] * 50
    assert [bool(value.server_ticks) for value in found] == [False] * 50 + [True] * 50


@settings(max_examples=100)
@given(st.lists(st.tuples(results, st.integers(1, 40)), max_size=4))
def test_that_a_browse_answer_is_decoded_as_asyncuas_decoder_does(mix: list[tuple[Any, int]]) -> None:
    data = browse_answer([result for result, times in mix for _ in range(times if not result.References else 1)])
    expected = struct_from_binary(ua.BrowseResponse, Buffer(data)).Results
    found = browsed(data)
    assert [(one.status, one.point) for one in found] == [(theirs.StatusCode.value, theirs.ContinuationPoint or b"") for theirs in expected]
    assert [one.references for one in found] == [[as_asyncua(theirs) for theirs in result.References or ()] for result in expected]


plain_words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(["Speed", "", "x" * 300, "a\nb", "ü"])
usual = st.builds(
    lambda reference, identifier, index, name, shown, locale, node_class: ua.ReferenceDescription(
        ReferenceTypeId=ua.NodeId(reference), IsForward=True, NodeId=ua.NodeId(identifier, index), BrowseName=ua.QualifiedName(name, index),
        DisplayName=ua.LocalizedText(name if shown is None else shown, locale), NodeClass=node_class, TypeDefinition=ua.NodeId(63),
    ),
    st.sampled_from([35, 47]), plain_words.filter(bool), st.sampled_from([2, 2, 2, 1, 31, 32]), plain_words, st.none() | plain_words,
    st.sampled_from([None, None, None, "en", "a very long locale it is"]), st.sampled_from(list(ua.NodeClass)),
)  # fmt: skip


@settings(max_examples=100)
@given(st.lists(st.lists(usual, max_size=12), min_size=1, max_size=5), st.integers(0, 600), st.none() | references)
def test_that_an_answer_of_nothing_but_usual_references_is_decoded_so_too(some: list[list[Any]], empties: int, other: Any) -> None:
    lists = [*some, *([[other]] if other is not None else [])]
    data = browse_answer([ua.BrowseResult(ua.StatusCode(0), None, one) for one in (*lists, *[[]] * empties, some[0])])
    expected = struct_from_binary(ua.BrowseResponse, Buffer(data)).Results
    assert [one.references for one in browsed(data)] == [[as_asyncua(theirs) for theirs in result.References or ()] for result in expected]


def sibling(name: str, **other: Any) -> Any:
    fields = {
        "ReferenceTypeId": ua.NodeId(47), "IsForward": True, "NodeId": ua.NodeId(f"Line.{name}", 2),
        "BrowseName": ua.QualifiedName(name, 2), "DisplayName": ua.LocalizedText(name),
        "NodeClass": ua.NodeClass.Variable, "TypeDefinition": ua.NodeId(63),
    }  # fmt: skip
    return ua.ReferenceDescription(**fields | other)


OTHERS: list[dict[str, Any]] = [
    {"ReferenceTypeId": ua.NodeId(46)}, {"IsForward": False}, {"NodeId": ua.NodeId("Line.a", 1)}, {"NodeId": ua.NodeId(7, 2)},
    {"NodeId": ua.NodeId("", 2)}, {"BrowseName": ua.QualifiedName("b", 1)}, {"BrowseName": ua.QualifiedName("", 2)},
    {"BrowseName": ua.QualifiedName("other", 2)}, {"BrowseName": ua.QualifiedName("Größe", 0), "DisplayName": ua.LocalizedText("Größe")},
    {"DisplayName": ua.LocalizedText("other")}, {"DisplayName": ua.LocalizedText(None)}, {"DisplayName": ua.LocalizedText("a", "de")},
    {"NodeClass": ua.NodeClass.Method}, {"TypeDefinition": ua.NodeId(68)}, {"TypeDefinition": ua.NodeId(5, 2)},
]  # fmt: skip
"""Ways in which a reference is not like its siblings."""


@pytest.mark.parametrize("other", OTHERS, ids=str)
def test_that_siblings_are_taken_together_and_one_that_differs_for_itself(other: dict[str, Any]) -> None:
    some = [sibling(f"Value{number}", **(other if number in (0, 3, 4, 9) else {})) for number in range(10)]
    data = browse_answer([ua.BrowseResult(ua.StatusCode(0), None, some), ua.BrowseResult(ua.StatusCode(0), None, some[:2])])
    assert [one.references for one in browsed(data)] == [[as_asyncua(theirs) for theirs in part] for part in (some, some[:2])]


def test_that_siblings_that_are_no_text_or_end_too_early_are_what_they_are_alone() -> None:
    data = browse_answer([ua.BrowseResult(ua.StatusCode(0), None, [sibling(f"Value{number}") for number in range(4)])])
    (found,) = browsed(data.replace(b"Value2", b"Value\xff"))
    assert [one.name for one in found.references] == ["Value0", "Value1", "Value\ufffd", "Value3"]
    for size in range(len(data) - 8, len(data) - 200, -1):
        with pytest.raises(DecodingError):
            browsed(data[:size])


family = st.builds(
    lambda nodes, name: [sibling(f"{name}{number}", NodeId=node) for number, node in enumerate(nodes)],
    st.one_of(
        st.lists(st.builds(ua.NodeId, plain_words.filter(bool), st.just(2)), max_size=9),
        st.lists(st.builds(ua.NodeId, st.integers(256, 65_535), st.just(2)), max_size=9),
        st.lists(st.builds(ua.NodeId, st.integers(65_536, 2**32 - 1), st.sampled_from([2, 2, 2, 1])), max_size=9),
    ),
    plain_words,
)  # fmt: skip
"""With NodeIds of one form."""


@settings(max_examples=100)
@given(st.lists(family, max_size=4), st.booleans())
def test_that_families_with_nodeids_of_any_form_are_decoded_so_too(families: list[list[Any]], again: bool) -> None:
    lists = [*families, [one for some in families for one in some], *families * again]
    data = browse_answer([ua.BrowseResult(ua.StatusCode(0), None, some) for some in lists])
    assert [one.references for one in browsed(data)] == [[as_asyncua(theirs) for theirs in some] for some in lists]


@pytest.mark.parametrize("within", [b"\x02\0\0\0\0\x3f\0\x2f\x01\x03\x02\0", b"\x02\0\0\0\0\x3f\0\x2f\x01", b"\n", b"\n\x03\x02\0"])
def test_that_what_stands_between_siblings_may_stand_in_their_nodeids_and_names(within: bytes) -> None:
    text = within.decode()
    some = [sibling(f"{text}Value{number}{text if number % 3 else ''}") for number in range(12)]
    data = browse_answer([ua.BrowseResult(ua.StatusCode(0), None, some)])
    assert [one.references for one in browsed(data)] == [[as_asyncua(theirs) for theirs in some]]


def test_that_siblings_of_two_kinds_in_turn_are_decoded_in_their_order() -> None:
    some = [sibling(f"Value{number}", ReferenceTypeId=ua.NodeId(47 if number // 7 % 2 else 46)) for number in range(200)]
    some += [sibling(f"Other{number}", ReferenceTypeId=ua.NodeId(47 if number % 2 else 46)) for number in range(200)]
    data = browse_answer([ua.BrowseResult(ua.StatusCode(0), None, some)])
    assert [one.references for one in browsed(data)] == [[as_asyncua(theirs) for theirs in some]]


def as_asyncua(theirs: Any) -> Reference:
    uri, server = getattr(theirs.NodeId, "NamespaceUri", None), getattr(theirs.NodeId, "ServerIndex", None)
    id_ = _node(theirs.NodeId) if not uri else f"nsu={uri};" + _node(theirs.NodeId).split(";", 1)[1]
    return Reference(
        bytes(nodeid_to_binary(theirs.ReferenceTypeId)),
        theirs.IsForward,
        asked_as(theirs.NodeId, uri, server),
        f"svr={server};{id_}" if server else id_,
        theirs.BrowseName.NamespaceIndex,
        theirs.BrowseName.Name or "",
        theirs.DisplayName.Text or "",
        int(theirs.NodeClass),
        bytes(nodeid_to_binary(theirs.TypeDefinition)),
    )


def asked_as(node: Any, uri: str | None, server: int | None) -> bytes:
    """Bytes of the NodeId that a request names it by."""
    if server or (uri and uri not in NAMESPACES):
        return b""
    if not uri:
        return bytes(nodeid_to_binary(ua.NodeId(node.Identifier, node.NamespaceIndex, node.NodeIdType)))
    kind = ua.NodeIdType.Numeric if node.NodeIdType.value <= 2 else node.NodeIdType
    return bytes(nodeid_to_binary(ua.NodeId(node.Identifier, NAMESPACES.index(uri), kind)))


@given(expanded)
def test_that_a_plain_node_is_what_a_request_may_carry(node: Any) -> None:
    uri, server = getattr(node, "NamespaceUri", None), getattr(node, "ServerIndex", None)
    assert plain_node(bytes(nodeid_to_binary(node)), NAMESPACES) == asked_as(node, uri, server)


@given(st.integers(0, 2**32 - 1), st.integers(0, 300))
def test_that_all_forms_of_a_number_are_one_node(number: int, index: int) -> None:
    nodes = {nodeid_from_binary(Buffer(form)) for form in all_forms(numeric(number, index))}
    assert nodes == {ua.NodeId(number, index)}
    assert numeric(number, index) in all_forms(struct.pack("<BHI", 2, index, number))


def test_that_bytes_that_are_no_text_do_not_spoil_a_reference() -> None:
    good = ua.ReferenceDescription(
        NodeId=ua.NodeId("abcd", 2), BrowseName=ua.QualifiedName("name", 2), DisplayName=ua.LocalizedText("show")
    )
    data = browse_answer([ua.BrowseResult(ua.StatusCode(0), None, [good, good])])
    for word in (b"abcd", b"name", b"show"):
        (one,) = browsed(data.replace(word, b"a\xff\xfed", 1))
        assert len(one.rows) == 2
        assert "�" in "".join(str(part) for part in one.references[0])
        assert one.references[1].id == "nsu=urn:line;s=abcd"


ANSWERS: list[tuple[bytes, Callable[[bytes], object]]] = [
    (read_answer([ua.DataValue(ua.Variant(value)) for value in (1.5, 2.5, "text", [1, 2, 3], True, ua.NodeId("x", 2), 7, 7, 7)]), read),
    (
        browse_answer(
            [
                ua.BrowseResult(
                    ua.StatusCode(0),
                    b"point",
                    [
                        ua.ReferenceDescription(
                            NodeId=node, BrowseName=ua.QualifiedName("name", 2), DisplayName=ua.LocalizedText("shown", "de"),
                            IsForward=True, TypeDefinition=ua.NodeId(63), ReferenceTypeId=ua.NodeId(47),
                        )
                        for node in (ua.NodeId("some", 2), ua.NodeId(1, 0), ua.NodeId(700, 1), ua.NodeId(70_000, 2), ua.NodeId(b"x", 1))
                    ],
                ),
                *[ua.BrowseResult(ua.StatusCode(0), None, [])] * 5,
            ]
        ),
        browsed,
    ),
]  # fmt: skip


LIES = [b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80", b"\xff", b"\x80", b"\x00", b"\x40\x42\x0f\x00"]


@pytest.mark.parametrize(("data", "decode"), ANSWERS, ids=["read", "browse"])
def test_that_an_answer_cut_anywhere_is_refused(data: bytes, decode: Callable[[bytes], object]) -> None:
    decode(data)
    for length in range(len(data) - 4):  # the last four are the diagnostics, which nobody asked for
        with pytest.raises(DecodingError):
            decode(data[:length])


@settings(max_examples=300)
@given(
    st.sampled_from(ANSWERS),
    st.integers(0, 10_000),
    st.sampled_from([b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80", b"\xff", b"\x80", b"\x00", b"\x40\x42\x0f\x00"]),
)
def test_that_a_changed_length_is_refused_or_means_something_else_and_costs_no_memory(
    answer: tuple[bytes, Callable[[bytes], object]], place: int, lie: bytes
) -> None:
    data, decode = answer
    at = place % len(data)
    changed = data[:at] + lie + data[at + len(lie) :]
    tracemalloc.start()
    try:
        decode(changed)
    except DecodingError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize("decode", [read, browsed])
def test_that_a_bad_service_result_tells_its_status(decode: Callable[[bytes], object]) -> None:
    answer = ua.ReadResponse()
    answer.ResponseHeader.ServiceResult = ua.StatusCode(0x80100000)
    with pytest.raises(ResultError) as refusal:
        decode(bytes(struct_to_binary(answer)))
    assert refusal.value.status == 0x80100000


def test_that_a_header_with_strings_and_diagnostics_is_passed() -> None:
    answer = ua.ReadResponse()
    answer.ResponseHeader.StringTable = ["one", "two"]
    answer.ResponseHeader.ServiceDiagnostics = ua.DiagnosticInfo(SymbolicId=1)
    answer.Results = [ua.DataValue(ua.Variant(1.5))]
    assert [value.value for value in read(bytes(struct_to_binary(answer)))] == [1.5]


@given(st.lists(node_ids, max_size=5), st.sampled_from(["forward", "inverse", "both"]), st.booleans())
def test_that_a_browse_request_is_encoded_as_asyncua_does(nodes: list[Any], direction: requests.Direction, subtypes: bool) -> None:
    encoded = [bytes(nodeid_to_binary(node)) for node in nodes]
    request = ua.BrowseRequest()
    request.Parameters.RequestedMaxReferencesPerNode = requests.MAX_REFERENCES
    request.Parameters.View.Timestamp = datetime(1601, 1, 1, tzinfo=UTC)
    ways = {"forward": ua.BrowseDirection.Forward, "inverse": ua.BrowseDirection.Inverse, "both": ua.BrowseDirection.Both}
    request.Parameters.NodesToBrowse = [
        ua.BrowseDescription(node, ways[direction], ua.NodeId(33), subtypes, 0, ua.BrowseResultMask.All) for node in nodes
    ]
    check_request(request, requests.BROWSE, requests.browse(encoded, direction, numeric(33), subtypes=subtypes))


@given(st.lists(st.binary(max_size=6), max_size=4), st.booleans())
def test_that_a_browse_next_request_is_encoded_as_asyncua_does(points: list[bytes], release: bool) -> None:
    request = ua.BrowseNextRequest()
    request.Parameters.ReleaseContinuationPoints = release
    request.Parameters.ContinuationPoints = points
    check_request(request, requests.BROWSE_NEXT, requests.browse_next(points, release=release))


@given(st.lists(st.tuples(node_ids, st.integers(1, 27)), max_size=5), st.sampled_from(["both", "none"]))
def test_that_a_read_request_is_encoded_as_asyncua_does(items: list[tuple[Any, int]], times: requests.Times) -> None:
    request = ua.ReadRequest()
    request.Parameters.TimestampsToReturn = {"both": ua.TimestampsToReturn.Both, "none": ua.TimestampsToReturn.Neither}[times]
    request.Parameters.NodesToRead = [ua.ReadValueId(node, ua.AttributeIds(number)) for node, number in items]
    check_request(request, requests.READ, requests.read([(bytes(nodeid_to_binary(node)), number) for node, number in items], times))
    one = items[0][1] if items else 13
    request.Parameters.NodesToRead = [ua.ReadValueId(node, ua.AttributeIds(one)) for node, _ in items]
    check_request(request, requests.READ, requests.read_one_attribute([bytes(nodeid_to_binary(node)) for node, _ in items], one, times))


def check_request(request: Any, type_id: int, body: bytes) -> None:
    """The same bytes, but for the time of sending."""
    token = ua.NodeId(b"token", 1, ua.NodeIdType.ByteString)
    request.RequestHeader.AuthenticationToken = token
    request.RequestHeader.RequestHandle, request.RequestHeader.TimeoutHint = 77, 2500
    theirs, ours = bytes(struct_to_binary(request)), requests.request_header(type_id, bytes(nodeid_to_binary(token)), 77, 2.5) + body
    time_at = 4 + len(nodeid_to_binary(token))
    assert ours[:time_at] + ours[time_at + 8 :] == theirs[:time_at] + theirs[time_at + 8 :]
    assert abs(int.from_bytes(ours[time_at : time_at + 8], "little") - int.from_bytes(theirs[time_at : time_at + 8], "little")) < 60 * 10**7

import base64
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drivers.opcua.address import UA_NAMESPACE, NodeAddress, PathAddress, PathStep, parse
from app.errors import UserError

NAMESPACES = (UA_NAMESPACE, "urn:server", "urn:line;1%", "http://example.org/plc/")

texts = st.text(st.characters(codec="utf-8"), max_size=40)
uris = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
nodes = st.one_of(
    st.builds(NodeAddress, uris, st.just("s"), texts.filter(bool)),
    st.builds(NodeAddress, uris, st.just("i"), st.integers(1, 2**32 - 1).map(str)),
    st.builds(NodeAddress, uris, st.just("g"), st.uuids().map(str)),
    st.builds(NodeAddress, uris, st.just("b"), st.binary(max_size=20).map(lambda data: base64.b64encode(data).decode())),
)
steps = st.builds(PathStep, st.sampled_from("/."), st.one_of(st.just(UA_NAMESPACE), uris), texts.filter(bool))
paths = st.builds(PathAddress, st.lists(steps, min_size=1, max_size=5).map(tuple)).filter(lambda path: path.steps[0].separator == "/")


def attempt(read: Callable[[], str]) -> tuple[UserError | None, str]:
    try:
        return None, read()
    except UserError as error:
        return error, ""


@given(nodes)
def test_that_a_node_address_reads_back_as_itself(node: NodeAddress) -> None:
    assert parse(str(node)) == node


@given(paths)
def test_that_a_browse_path_reads_back_as_itself(path: PathAddress) -> None:
    assert parse(str(path)) == path


@given(st.integers(1, 3), texts.filter(bool))
def test_that_an_index_becomes_its_uri(index: int, identifier: str) -> None:
    assert parse(f"ns={index};s={identifier}", NAMESPACES) == NodeAddress(NAMESPACES[index], "s", identifier)


@given(st.text(max_size=60))
def test_that_any_text_is_an_address_or_is_refused_with_a_reason(text: str) -> None:
    refusal, canonical = attempt(lambda: str(parse(text, NAMESPACES)))
    if refusal is not None:
        assert "at character" in refusal.why
        assert refusal.fix
    else:
        assert str(parse(canonical)) == canonical


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("i=85", f"nsu={UA_NAMESPACE};i=85"),
        ("  ns=0;i=0085", f"nsu={UA_NAMESPACE};i=85"),
        ("ns=2;s=a;b=c ", "nsu=urn:line%3B1%25;s=a;b=c "),
        ("nsu=urn:line%3b1%25;i=7", "nsu=urn:line%3B1%25;i=7"),
        ("nsu=http://x/a%20b;i=7", "nsu=http://x/a%2520b;i=7"),
        ("g=09087E75-8E5E-499B-954F-F2A9603DB28A", f"nsu={UA_NAMESPACE};g=09087e75-8e5e-499b-954f-f2a9603db28a"),
        ("ns=1;b=M/RbKBsRVkePCePcx24oRA==", "nsu=urn:server;b=M/RbKBsRVkePCePcx24oRA=="),
        ("ns=1;s=", "nsu=urn:server;s="),
        ('ns=1;s="DB_1"."Füller"[3]', 'nsu=urn:server;s="DB_1"."Füller"[3]'),
        ("/Objects/3:Line&.1/3:A&/B", "/Objects/nsu=http://example.org/plc/;Line&.1/nsu=http://example.org/plc/;A&/B"),
        ("/Objects/Server.ServerStatus", "/Objects/Server.ServerStatus"),
    ],
)
def test_that_every_accepted_form_has_one_canonical_text(typed: str, canonical: str) -> None:
    assert str(parse(typed, NAMESPACES)) == canonical


@pytest.mark.parametrize(
    ("typed", "character", "why"),
    [
        ("", 1, "empty"),
        ("x=1", 1, 'expected "i="'),
        ("ns=2,s=x", 4, "expected a namespace index"),
        ("ns=9;s=x", 4, "namespace index 9 does not exist"),
        ("ns=99999999999999999999;s=x", 4, "expected a namespace index"),
        ("nsu=;s=x", 5, "the namespace URI is empty"),
        ("nsu=urn:x", 10, 'expected ";"'),
        ("nsu=urn:x;q=1", 11, 'expected "i="'),
        ("i=4294967296", 3, "whole number"),
        ("i=-1", 3, "whole number"),
        ("i=" + "9" * 5000, 3, "whole number"),
        ("i=0", 3, "null node"),
        ("s=", 3, "the identifier is empty"),
        ("g=nope", 3, "not a GUID"),
        ("b=*", 3, "base64"),
        ("svr=1;i=85", 1, "another server"),
        ("/Objects//x", 10, "a name is missing"),
        ("/Objects/", 10, "a name is missing"),
        ("/<HasComponent>x", 2, "a name is missing"),
        ("/Objects<HasComponent>x", 9, "angle brackets"),
        ("/a:b", 3, 'is written "&:"'),
        ("/a&", 4, "cannot end"),
    ],
)
def test_that_what_is_wrong_is_named_with_its_place(typed: str, character: int, why: str) -> None:
    with pytest.raises(UserError) as refused:
        parse(typed, NAMESPACES)
    assert f"at character {character}: " in refused.value.why
    assert why in refused.value.why


def test_that_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(UserError, match="at character 11: half a surrogate"):
        parse("nsu=u;s=ab\ud800")


def test_that_an_index_without_the_namespace_list_is_refused_with_the_remedy() -> None:
    for typed in ("ns=2;s=x", "/Objects/2:x"):
        with pytest.raises(UserError, match="without the server's namespace list") as refused:
            parse(typed)
        assert "nsu=" in refused.value.fix


def test_that_a_guid_in_braces_is_taken() -> None:
    guid = "09087e75-8e5e-499b-954f-f2a9603db28a"
    assert parse(f"g={{{guid}}}") == NodeAddress(UA_NAMESPACE, "g", guid)

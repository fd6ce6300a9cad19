import msgspec
import pytest
from hypothesis import given

from app.model.element import Element
from app.model.itmodel import Attribute
from app.model.lines import _SHAPES, canonical, element_of, faults, first_fault, line_of
from app.model.mapping import Cast, EnumNames, GainOffset, Mapping
from app.model.plant import Endpoint, Security, Tag
from tests import strategies


@given(strategies.elements())
def test_that_an_element_is_read_from_its_line_as_it_was(element: Element) -> None:
    line = line_of(element)
    assert element_of(line) == element
    assert line_of(element_of(line)) == line
    assert b"\n" not in line
    assert first_fault(element) == ""


@given(strategies.elements())
def test_that_canonical_elements_are_left_as_they_are(element: Element) -> None:
    assert canonical(canonical(element)) is canonical(element)
    assert canonical(element) == element


def test_that_defaults_inside_transforms_and_security_are_left_out_too() -> None:
    steps = (GainOffset(gain=float("1"), offset=2.0), msgspec.structs.replace(Cast(type="int8"), rounding="".join(["half", "_even"])))
    mapping = Mapping(id="m-a", asset="a", attribute="b", transform=steps)
    assert line_of(mapping).endswith(b'"transform":[{"op":"gain","offset":2.0},{"op":"cast","type":"int8"}]}')
    endpoint = Endpoint(id="e-a", name="e", addresses={}, security=Security(policy="".join(["No", "ne"]), name="x"))
    assert line_of(endpoint).endswith(b'"security":{"name":"x"}}')


@pytest.mark.parametrize(
    "line", [b'{"kind":"end"}', b"[]", b"x", b'{"kind":"tag","id":"t"}', b'{"kind":"unit","id":"u","endpoint":"e","number":256}']
)
def test_that_what_is_no_element_is_refused(line: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        element_of(line)


def tag(**fields: object) -> Tag:
    return msgspec.structs.replace(Tag(id="t-a", endpoint="e-a", address="x", name="t"), **fields)


def endpoint(**fields: object) -> Endpoint:
    return msgspec.structs.replace(Endpoint(id="e-a", name="e", addresses={"default": "opc.tcp://h:1"}), **fields)


@pytest.mark.parametrize(
    ("element", "fault"),
    [
        (tag(id="T"), "id must be"),
        (tag(id="a--b"), "id must be"),
        (tag(id="a" * 81), "id must be"),
        (tag(low=float("nan")), "NaN"),
        (tag(name="\udc00"), "surrogate"),
        (tag(type="real"), 'type is "real"'),
        (tag(type="[]"), 'type is "[]"'),
        (tag(enum={"x": "y"}), 'enum has "x"'),
        (tag(enum={"01": "y"}), 'enum has "01"'),
        (tag(access="x"), "Invalid enum value"),
        (tag(gain=None), "Expected `float`"),
        (tag(extensions={"a": 2**64}), "beyond 64 bits"),
        (tag(extensions={"a": (1, 2)}), "JSON"),
        (Attribute(id="a-a", asset_type="t", name="a", data_type=""), "data_type"),
        (Mapping(id="m-a", asset="a", attribute="b", transform=(EnumNames(names={"a": "b"}),)), "transform[0].names"),
        (Mapping(id="m-a", asset="a", attribute="b", transform=(Cast(type="real"),)), "transform[0].type"),
        (endpoint(addresses={"site": "x:"}), "no default"),
        (endpoint(security=Security(secret="hunter2")), "security.secret"),
        (endpoint(addresses={"default": "modbus://ada:hunter2@plc"}), "password in the URL"),
        (endpoint(settings={"proxy_password": "hunter2"}), "settings.proxy_password"),
        (endpoint(settings={"x": float("inf")}), "Expected"),
    ],
)
def test_that_what_no_file_may_hold_is_named_without_the_secret_itself(element: Element, fault: str) -> None:
    assert fault in first_fault(element)
    assert "hunter2" not in first_fault(element)


@pytest.mark.parametrize(
    "element",
    [
        endpoint(security=Security(secret="secret://e-a/password")),
        endpoint(addresses={"default": "opc.tcp://ada@h:1"}),
        endpoint(settings={"password": "secret://e-a/password", "token": ""}),
        tag(type="float32[]", enum={"0": "", "-1": "x"}),
        tag(extensions={"a": {"b": [2**64 - 1, -(2**63)]}}),
    ],
)
def test_that_what_a_file_may_hold_is_not_complained_about(element: Element) -> None:
    assert first_fault(element) == ""


def test_that_depth_is_measured_without_recursion() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert faults(tag(extensions={"a": deep})) == ["extensions is nested deeper than 32 levels"]
    while deep:
        deep = deep.pop()  # type: ignore[assignment]  # taken apart from the outside, or freeing it would recurse


@pytest.mark.parametrize("kind", _SHAPES)
def test_that_defaults_are_those_that_msgspec_tells_of(kind: type[msgspec.Struct]) -> None:
    told = {field.name: field.default for field in msgspec.structs.fields(kind) if field.default is not msgspec.NODEFAULT}
    by_identity = (None, True, False, "")
    assert dict(_SHAPES[kind].defaults) == {name: one for name, one in told.items() if not any(one is plain for plain in by_identity)}

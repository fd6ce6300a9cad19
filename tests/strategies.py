"""Hypothesis strategies for elements and whole projects, with references that hold; for every test that parses or renders."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from app.edits import Editor, create, replace
from app.edits.edit import with_fields
from app.model.element import Element, Json
from app.model.ids import make_id
from app.model.itmodel import LEVELS, Asset, AssetType, Attribute, Component, Place
from app.model.lines import canonical
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
    Op,
    Part,
    Round,
    Sqrt,
    Trim,
    UnitConversion,
)
from app.model.plant import Endpoint, Group, Identity, Security, Tag, Unit, WatchList
from app.model.project import Project, ProjectInfo
from app.model.reviewing import Approval, Comment, Suppression
from app.model.values import SCALAR_TYPES

# No lone surrogates: they are no characters, and no UTF-8 file can hold them.
texts = st.text(st.characters(codec="utf-8"), max_size=20)
names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
floats = st.floats(allow_nan=False, allow_infinity=False)
naturals = st.integers(0, 2**31 - 1)
type_words = st.sampled_from([*SCALAR_TYPES, *(f"{word}[]" for word in SCALAR_TYPES)])
enums = st.dictionaries(st.integers(-(2**31), 2**32 - 1).map(str), texts, max_size=3)
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | floats | texts
json_values: st.SearchStrategy[Json] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=5
)
extensions: st.SearchStrategy[dict[str, Json]] = st.builds(dict) | st.dictionaries(names, json_values, max_size=2)
times = st.datetimes().map(lambda at: f"{at:%Y-%m-%dT%H:%M:%S}Z")

transforms: st.SearchStrategy[Op] = st.one_of(
    st.builds(Part, path=st.sampled_from(["motor[3].temp", "[0]", "[1,2]", '["a.b"]', "state"])),
    st.builds(Linear, raw_low=floats, raw_high=floats, low=floats, high=floats, clamp=st.booleans()),
    st.builds(GainOffset, gain=floats, offset=floats),
    st.builds(Sqrt, high=floats),
    st.builds(Bit, index=st.integers(0, 63)),
    st.builds(Mask, mask=st.integers(0, 2**63 - 1), shift=st.integers(0, 63)),
    st.builds(EnumNames, names=enums, other=st.none() | texts),
    st.builds(UnitConversion, source=names, target=names),
    st.builds(Clamp, low=st.none() | floats, high=st.none() | floats),
    st.builds(Cast, type=type_words, rounding=st.sampled_from(["half_even", "floor", "ceil", "truncate"])),
    st.builds(Round, digits=st.integers(-308, 308)),
    st.just(Not()),
    st.just(Trim()),
)

securities = st.builds(
    Security,
    policy=st.sampled_from(["None", "Basic256Sha256", "Aes256_Sha256_RsaPss"]),
    mode=st.sampled_from(["None", "Sign", "SignAndEncrypt"]),
    user=st.sampled_from(["anonymous", "password", "certificate"]),
    name=texts,
    secret=st.just("") | names.map(lambda name: f"secret://{name}"),
)


class _Builder:
    """Draws elements that refer to those drawn before."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.elements: list[Element] = []
        self.taken: set[str] = set()

    def new_id(self, kind: str, name: str) -> str:
        id_ = make_id(kind, "", name, taken=self.taken)
        self.taken.add(id_)
        return id_

    def add(self, kind: type[Element], most: int, least: int = 0, **fields: Any) -> list[str]:  # Any: fields of any kind
        """Between ``least`` and ``most`` elements of a kind; gives the ids of all of that kind so far."""
        for _ in range(self.draw(st.integers(least, most))):
            drawn = {name: self.draw(field) if isinstance(field, st.SearchStrategy) else field for name, field in fields.items()}
            if "extensions" in kind.__struct_fields__:
                drawn["extensions"] = self.draw(extensions)
            id_ = self.new_id(kind.__name__, drawn.get("name", "x"))
            self.elements.append(canonical(kind(id=id_, **drawn)))
        return [element.id for element in self.elements if type(element) is kind]


def one_of_ids(ids: list[str], *, or_none: bool = False) -> st.SearchStrategy[str]:
    return st.sampled_from([*ids, ""] if or_none else ids)


def some_ids(ids: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(ids), max_size=3, unique=True).map(tuple) if ids else st.just(())


@st.composite
def projects(draw: st.DrawFn, most: int = 3) -> Project:
    """A project of every kind of element, at most ``most`` of each, that a file can hold."""
    build = _Builder(draw)
    info = ProjectInfo(id=build.new_id("tagloom", draw(names)), name=draw(names), description=draw(texts), extensions=draw(extensions))
    _add_plant(build, most)
    _add_it_model(build, most)
    _add_mappings(build, most)
    _add_reviewing(build, most)
    return Project(canonical(info), build.elements)


def _add_plant(build: _Builder, most: int) -> None:
    urls = st.sampled_from(["opc.tcp://10.0.0.5:4840/x", "modbus://plc-7?unit=1"])
    endpoints = build.add(
        Endpoint, most, name=names, description=texts, security=securities, namespaces=st.lists(texts, max_size=3).map(tuple),
        addresses=st.dictionaries(names, urls, max_size=2).map(lambda urls: {"default": "opc.tcp://h:1", **urls}),
        identity=st.builds(Identity, application_uri=texts, thumbprint=texts, product=texts),
        settings=st.dictionaries(st.sampled_from(["timeout_s", "gap", "Ω"]), st.booleans() | st.integers(-9, 9) | floats | texts),
    )  # fmt: skip
    groups = build.add(Group, most, name=names, interval_ms=naturals, deadband=floats, queue_size=naturals)
    if not endpoints:
        return
    orders = st.sampled_from(["ABCD", "CDAB", "BADC", "DCBA"])
    build.add(Unit, most, endpoint=one_of_ids(endpoints), number=st.integers(0, 255), name=texts, order=orders)
    tags = build.add(
        Tag, most, endpoint=one_of_ids(endpoints), address=names, name=names, group=one_of_ids(groups, or_none=True),
        type=st.just("") | type_words, path=texts, gain=floats | st.just(1.0), offset=floats | st.just(0.0), unit=texts,
        low=st.none() | floats, high=st.none() | floats, enum=enums, access=st.sampled_from(["r", "rw", "w"]), description=texts,
    )  # fmt: skip
    build.add(WatchList, most, name=names, tags=some_ids(tags))


def _add_it_model(build: _Builder, most: int) -> None:
    types: list[str] = []
    for _ in range(build.draw(st.integers(0, most))):
        types = build.add(
            AssetType, 1, 1, name=names, title=texts, version=texts, extends=one_of_ids(types, or_none=True), abstract=st.booleans(),
            uri=texts, semantic_ids=st.lists(texts, max_size=2).map(tuple), description=texts,
        )  # fmt: skip
    places: list[str] = []
    for level in LEVELS[: build.draw(st.integers(0, len(LEVELS)))]:
        places = build.add(Place, 1, 1, name=names, level=level, parent=places[-1] if places else "")
    if not types:
        return
    build.add(
        Attribute, most, asset_type=one_of_ids(types), name=names, data_type=type_words, title=texts, unit=texts, low=st.none() | floats,
        high=st.none() | floats, required=st.booleans(), enum=enums, semantic_ids=st.lists(texts, max_size=2).map(tuple),
    )  # fmt: skip
    build.add(Component, most, asset_type=one_of_ids(types), name=names, type=one_of_ids(types))
    build.add(Asset, most, name=names, asset_type=one_of_ids(types), place=one_of_ids(places, or_none=True), title=texts)


def _ids_of(build: _Builder, *kinds: type[Element]) -> list[str]:
    return [element.id for element in build.elements if isinstance(element, kinds)]


def _add_mappings(build: _Builder, most: int) -> None:
    assets, attributes = _ids_of(build, Asset), _ids_of(build, Attribute)
    if assets and attributes:
        build.add(
            Mapping, most, asset=one_of_ids(assets), attribute=one_of_ids(attributes), within=some_ids(_ids_of(build, Component)),
            sources=some_ids(_ids_of(build, Tag)), transform=st.lists(transforms, max_size=3).map(tuple),
            time=st.sampled_from(["source", "server", "receive"]), quality=st.sampled_from(["pass", "good_only", "hold"]),
            hold_s=floats, interval_ms=st.none() | naturals, note=texts,
        )  # fmt: skip
    build.add(
        Delivery, most, asset_type=one_of_ids(_ids_of(build, AssetType), or_none=True), topic=texts, qos=st.sampled_from([0, 1, 2]),
        message=st.sampled_from(["asset", "attribute"]), time=st.sampled_from(["rfc3339", "epoch_ms", "epoch_ns"]),
        unit=st.booleans(), period_ms=naturals,
    )  # fmt: skip


def _add_reviewing(build: _Builder, most: int) -> None:
    if approvable := _ids_of(build, Mapping, Delivery):
        build.add(Approval, most, about=one_of_ids(approvable), digest=texts, by=names, at=times, why=texts)
    if build.elements:
        anything = one_of_ids([element.id for element in build.elements])
        build.add(Comment, most, about=anything, by=names, at=times, text=texts, resolved=st.booleans())
        build.add(Suppression, most, about=anything, rule=st.just("MAP-001"), by=names, at=times, why=texts)


@functools.cache
def elements() -> st.SearchStrategy[Element]:
    """Single elements of every kind, out of generated projects."""
    return projects().flatmap(lambda project: st.sampled_from(list(project.elements())))


def do_something(editor: Editor, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:  # Any: hypothesis' own draw
    """Do one edit that adds or changes elements and keeps the project whole."""
    project = editor.project
    tags = list(project.all(Tag).values())
    endpoints = list(project.all(Endpoint))
    if not endpoints:
        made = Endpoint(id=make_id("endpoint", "", "new", taken=project), name="new", addresses={"default": "opc.tcp://h:1"})
        editor.do(create("Add endpoint", [made]))
    elif not tags or draw(st.booleans()):
        name = draw(names)
        id_ = make_id("tag", "", name, taken=project)
        editor.do(create("Add tag", [Tag(id=id_, endpoint=draw(st.sampled_from(endpoints)), address="x", name=name)]))
    else:
        tag = draw(st.sampled_from(tags))
        fields = {"name": draw(names), "endpoint": draw(st.sampled_from(endpoints)), "address": draw(names), "gain": draw(floats)}
        watch_list = WatchList(id=make_id("watchlist", "", tag.name, taken=project), name="w", tags=(tag.id,))
        editor.do(replace("Change tag", project, [with_fields(tag, **fields), watch_list]))


def same(a: Project, b: Project) -> bool:
    """Whether two projects hold the same elements."""
    return list(a.elements()) == list(b.elements())


__all__ = ["do_something", "elements", "json_values", "names", "projects", "same", "texts", "transforms"]

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.edits import Editor
from app.edits.edit import create, replace, with_fields
from app.model.element import Element
from app.model.itmodel import Asset, AssetType, Attribute, Place
from app.model.mapping import Mapping
from app.model.plant import Endpoint, Tag
from app.model.project import Project, ProjectInfo
from app.model.reviewing import Comment
from app.review.examples import example_messages, example_value
from app.review.page import render_page, visible
from tests.factory import LINE, OPCUA, UA, changed, line4_project

VOID = {"meta", "br", "wbr", "input", "link", "img", "hr"}


class Page(HTMLParser):
    """A page as a browser reads it: every tag balanced, texts and attributes apart."""

    def __init__(self, page: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.wrong: list[str] = []
        self.feed(page.decode("utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f"</{tag}> closes {self.open[-3:]}")
        else:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.text += data

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


def page_of(project: Project) -> Page:
    return Page(render_page(project))


def test_that_the_page_shows_every_asset_attribute_source_transform_and_state() -> None:
    project = line4_project()
    page = page_of(project)
    assert page.wrong == []
    assert page.open == []
    for tag in project.all(Tag).values():
        assert tag.name in page.text
        assert tag.address in page.text
    for word in ("Filler 1", "motor.speed", "°F → °C, round 2", "bar → kPa, round 1", "raw × 0.1", "last good value held for 30 s",
                 "server time", "approved", "never reviewed", "not mapped", "A. Reyes", "Compared with the HMI",
                 "Is the transmitter in °F?",
                 "ACME/Plant 1/Packaging/Line 4/Filler 1", "MAP-001", "extends Machine", "opc.tcp://line4-plc:4840", LINE):  # fmt: skip
        assert word in page.text, word


def test_that_a_change_after_approval_is_shown_with_who_had_approved() -> None:
    project = line4_project()
    changed(project, project.all(Tag)["t-voltage"], gain=2.0)
    assert "≠" not in page_of(project).text  # the mark is drawn by the style, the words stand in the text
    assert "changed since approval" in page_of(project).text
    assert page_of(project).text.count("A. Reyes") == 3


def test_that_the_same_project_gives_the_same_bytes() -> None:
    assert render_page(line4_project(), "a.tagloom") == render_page(line4_project(), "a.tagloom")


def test_that_the_page_needs_nothing_from_outside() -> None:
    page = page_of(line4_project())
    for tag, attributes in page.tags:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base", "form")
        assert "src" not in attributes
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert tag != "a" or (attributes["href"] or "").startswith("#")
    assert page.count("script") == page.count("style") == 1


def test_that_the_policy_allows_the_pages_own_script_and_style_only() -> None:
    text = render_page(line4_project()).decode()
    (policy,) = (attributes["content"] for tag, attributes in Page(text.encode()).tags if attributes.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    for part in ("script", "style"):
        (content,) = re.findall(f"<{part}>(.*?)</{part}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{part}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'-alert(1)-'", "</style><b>", "{{ 7*7 }}{% raw %}", "&lt;b&gt;",
           "\u202egnirts", "\u2066x\u2069", "\x00\x1b[31m", "]]>", "<!--", "javascript:alert(1)"]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_that_a_hostile_name_is_shown_as_text_wherever_it_stands(name: str) -> None:
    project = line4_project()
    comment = Comment(id="c-hostile", about=OPCUA, by=name, at=name, text=name)
    elements: list[Element] = [
        with_fields(project.info, name=name, description=name),
        with_fields(project.all(Asset)["filler-1"], name=name, title=name), with_fields(project.all(Place)["packaging"], name=name),
        with_fields(project.all(AssetType)["filler"], name=name, title=name, description=name, uri=name, version=name),
        with_fields(project.all(Attribute)["a-filler-recipe"], name=name, title=name, description=name, unit=name, semantic_ids=[name]),
        with_fields(project.all(Tag)["t-recipe"], name=name, unit=name, description=name),
        with_fields(project.all(Mapping)["m-recipe"], note=name),
        with_fields(project.all(Endpoint)[OPCUA], name=name, description=name, namespaces=[UA, name], identity={"product": name}),
    ]  # fmt: skip
    Editor(project).do(replace("Hostile", project, elements))
    Editor(project).do(create("Hostile", [comment]))
    page, plain = page_of(project), page_of(line4_project())
    assert page.wrong == []
    assert page.open == []
    assert page.count("script") == 1
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in plain.tags}
    assert visible(name) in page.text
    assert not re.search("[\x00-\x08\x0e-\x1f\u202a-\u202e\u2066-\u2069]", page.text)


@given(st.text())
def test_that_what_is_visible_has_nothing_that_cannot_be_seen(text: str) -> None:
    shown = visible(text)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown)
    shown.encode("utf-8")


def test_that_no_secret_and_no_reference_to_one_is_shown() -> None:
    project = line4_project()
    secured = {
        "policy": "Basic256Sha256",
        "mode": "SignAndEncrypt",
        "user": "password",
        "name": "gateway-1",
        "secret": "secret://line4/password",
    }
    changed(project, project.all(Endpoint)[OPCUA], security=secured)
    text = render_page(project).decode()
    assert "secret://" not in text
    assert "kept outside the project" in text
    assert "Basic256Sha256, sign and encrypt" in page_of(project).text


def test_that_an_empty_project_gives_a_page_that_says_so() -> None:
    page = page_of(Project(ProjectInfo(id="p", name="Empty")))
    assert "The project has no assets yet." in page.text
    assert page.wrong == []


def test_that_headings_go_down_one_level_at_a_time_and_tables_have_headers() -> None:
    page = page_of(line4_project())
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    scopes = [attributes.get("scope") for tag, attributes in page.tags if tag == "th"]
    assert set(scopes) == {"col", "row"}
    assert page.count("thead") == page.count("table")


def test_that_examples_are_marked_as_such_and_lie_in_the_middle_of_the_range() -> None:
    project = line4_project()
    assert page_of(project).text.count("example") >= 2
    (message,) = example_messages(project, project.all(Asset)["filler-1"])
    assert message.topic == "ACME/Plant 1/Packaging/Line 4/Filler 1"
    values = json.loads(json.dumps(message.payload))["values"]
    assert values["fillFlow"] == {"value": 100.0, "quality": "good", "unit": "l/min", "time": "2026-01-01T12:00:00.000Z"}
    assert values["state"]["value"] == "STOPPED"


@pytest.mark.parametrize(
    ("data_type", "low", "high", "value"),
    [
        ("int8", 1000.0, 3000.0, 127),
        ("float64", None, None, 1.0),
        ("uint16", 5.0, None, 5),
        ("bool", None, None, True),
        ("int32[]", 2.0, 4.0, [3, 3]),
    ],
)
def test_that_an_example_value_fits_its_type(data_type: str, low: float | None, high: float | None, value: object) -> None:
    assert example_value(Attribute(id="a", asset_type="t", name="a", data_type=data_type, low=low, high=high)) == value


def test_that_size_and_time_grow_in_line_with_the_project() -> None:
    """Twice the mappings, about twice the bytes; four times as many do not take ten times as long."""
    sizes, times = [], []
    for assets in (25, 50, 100):
        project = _wide(assets)
        began = time.perf_counter()
        sizes.append(len(render_page(project)))
        times.append(time.perf_counter() - began)
    assert 1.8 < (sizes[2] - sizes[1]) / (sizes[1] - sizes[0]) < 2.2
    assert times[2] < 10 * times[0] + 2.0


def _wide(assets: int) -> Project:
    elements: list[Element] = [
        AssetType(id="t", name="T"), Endpoint(id="e", name="e", addresses={"default": "opc.tcp://h:4840"}, namespaces=(UA, "u")),
    ]  # fmt: skip
    elements += [Attribute(id=f"a{number:02}", asset_type="t", name=f"a{number:02}", data_type="float64") for number in range(20)]
    for place in range(assets):
        elements.append(Asset(id=f"x{place:04}", name=f"X{place:04}", asset_type="t"))
        for number in range(20):
            key = f"{place:04}-{number:02}"
            elements.append(Tag(id=f"t{key}", endpoint="e", address=f"nsu=u;s={key}", name=key, type="float64"))
            elements.append(Mapping(id=f"m{key}", asset=f"x{place:04}", attribute=f"a{number:02}", sources=(f"t{key}",)))
    return Project(ProjectInfo(id="p", name="Wide"), elements)

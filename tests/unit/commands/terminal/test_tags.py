from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.commands.terminal.endpoint import Target, target
from app.commands.terminal.tags import ANY_NAMESPACE, Asked, asked_for, drafts_of
from app.errors import CollectedError, UserError
from app.model.plant import Tag
from app.projectfile import save
from tests.factory import line4_project

OPCUA = "opc.tcp://127.0.0.1:4840"
MODBUS = "modbus://127.0.0.1"
NAMESPACES = ("http://opcfoundation.org/UA/", "urn:one", "urn:two")


@contextmanager
def listed(url: str, content: bytes, tmp_path: Path, notation: str | None = None) -> Iterator[tuple[Target, Asked]]:
    path = tmp_path / "tags.txt"
    path.write_bytes(content)
    with target(url, None, ()) as chosen:
        yield chosen, asked_for(chosen, (), str(path), notation)


def test_that_a_namespace_index_is_judged_before_connecting_and_resolved_after() -> None:
    with target(OPCUA, None, ()) as chosen:
        asked = asked_for(chosen, ("ns=2;s=A", "i=85", "/Objects/1:Line"), None, None)
        found = [draft.address for draft in drafts_of(chosen, asked, NAMESPACES)]
        assert found == ["nsu=urn:two;s=A", "nsu=http://opcfoundation.org/UA/;i=85", "/Objects/nsu=urn:one;Line"]
        with pytest.raises(UserError, match="namespace index 7 does not exist"):
            drafts_of(chosen, asked_for(chosen, ("ns=7;s=A",), None, None), NAMESPACES)


def test_that_every_address_that_is_none_is_named_at_once() -> None:
    with target(MODBUS, None, ()) as chosen:
        with pytest.raises(CollectedError) as caught:
            asked_for(chosen, ("holding:1", "foo:2", "holding:x"), None, None)
        assert [problem.where for problem in caught.value.problems] == ["foo:2", "holding:x"]


def test_that_nothing_and_too_much_are_refused() -> None:
    with target(MODBUS, None, ()) as chosen:
        with pytest.raises(UserError, match="Nothing was asked for"):
            asked_for(chosen, (), None, None)
        with pytest.raises(UserError, match="both addresses and --tags"):
            asked_for(chosen, ("holding:1",), "x.csv", None)
        with pytest.raises(UserError, match="Cannot read the list"):
            asked_for(chosen, (), "no-such-file.csv", None)


def test_that_a_list_of_plain_addresses_may_hold_quotes_delimiters_comments_and_empty_lines(tmp_path: Path) -> None:
    lines = '# S7\n\nns=2;s="DB_Filler"."rFillFlow"\n  ns=1;s=a,b;c\r\nns=2;s="DB_Filler"."rFillFlow"\n'
    with listed(OPCUA, b"\xef\xbb\xbf" + lines.encode(), tmp_path) as (chosen, asked):
        found = [draft.address for draft in drafts_of(chosen, asked, NAMESPACES)]
    assert found == ['nsu=urn:two;s="DB_Filler"."rFillFlow"', "nsu=urn:one;s=a,b;c"]


def test_that_a_bad_line_of_a_plain_list_is_named_with_its_number(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="line 3: holding:zzz"), listed(MODBUS, b"holding:1\n# two\nholding:zzz\n", tmp_path):
        pass


def test_that_a_csv_list_brings_scale_unit_and_order(tmp_path: Path) -> None:
    content = "name;address;type;order;gain;unit\nE;3/holding:112;uint32;ABCD;0,1;kWh\n".encode("cp1252")
    with listed(MODBUS, content, tmp_path) as (chosen, asked):
        (draft,) = drafts_of(chosen, asked, ())
    assert (draft.name, draft.address, draft.gain, draft.unit) == ("E", "3/holding:112:uint32:ABCD", 0.1, "KWH")


def test_that_bad_rows_of_a_csv_list_are_named_with_file_and_line(tmp_path: Path) -> None:
    with pytest.raises(CollectedError) as caught, listed(MODBUS, b"address,gain\nholding:1,x\nfoo,1\n", tmp_path):
        pass
    assert [problem.where.rpartition("tags.txt, ")[2] for problem in caught.value.problems] == [
        "line 2, column gain",
        "line 3, column address",
    ]


def test_that_another_notation_is_read_when_it_is_said(tmp_path: Path) -> None:
    with listed(MODBUS, b"3/40101:float32\n", tmp_path, "modicon") as (chosen, asked):
        assert [draft.address for draft in drafts_of(chosen, asked, ())] == ["3/holding:100:float32"]


def test_that_an_address_that_is_a_tag_of_the_project_is_that_tag(tmp_path: Path) -> None:
    path = tmp_path / "line.tagloom"
    save(line4_project(), path, None)
    with target("meter-modbus", path, ()) as chosen:
        drafts = drafts_of(chosen, asked_for(chosen, ("3/holding:112:uint32:ABCD", "3/holding:5"), None, None), ())
        assert [(draft.name, draft.gain, draft.unit) for draft in drafts] == [("EnergyImported", 0.1, "KWH"), ("3/holding:5", 1.0, "")]
        everything = drafts_of(chosen, asked_for(chosen, (), None, None), ANY_NAMESPACE)
        names = [tag.name for tag in chosen.project.all(Tag).values() if tag.endpoint == chosen.endpoint.id]
        assert [draft.name for draft in everything] == sorted(names)

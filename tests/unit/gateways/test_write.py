from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from app.errors import UserError
from app.gateways import Loss, Rendered, write_export
from app.gateways.write import MANIFEST


def rendered(**files: bytes) -> Rendered:
    named = {name.replace("__", "/").replace("_", "."): content for name, content in files.items()}
    return Rendered(named, [Loss("Plant 1/Tank", 'deadband "0.5"', "every change is sent", "warning")])


def test_that_an_export_writes_its_files_and_the_losses_in_their_stable_form(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    written = write_export(rendered(flows_json=b"[]", sub__more_txt=b"x"), folder)
    assert (folder / "flows.json").read_bytes() == b"[]"
    assert (folder / "sub" / "more.txt").read_bytes() == b"x"
    assert json.loads((folder / "losses.json").read_bytes()) == [
        {"place": "Plant 1/Tank", "what": 'deadband "0.5"', "consequence": "every change is sent"}
    ]
    assert {path.name for path in written} == {"flows.json", "more.txt", "losses.json"}


def test_that_without_losses_an_empty_list_is_written(tmp_path: Path) -> None:
    write_export(Rendered({}, []), tmp_path)
    assert json.loads((tmp_path / "losses.json").read_bytes()) == []


def test_that_a_second_export_replaces_the_first_and_removes_what_is_no_longer_made(tmp_path: Path) -> None:
    write_export(rendered(a_txt=b"1", b_txt=b"1"), tmp_path)
    write_export(rendered(a_txt=b"2"), tmp_path)
    assert (tmp_path / "a.txt").read_bytes() == b"2"
    assert not (tmp_path / "b.txt").exists()


def test_that_a_file_which_no_export_wrote_is_never_replaced_unless_told(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"mine")
    with pytest.raises(UserError, match="no export wrote"):
        write_export(rendered(a_txt=b"1", b_txt=b"1"), tmp_path)
    assert (tmp_path / "a.txt").read_bytes() == b"mine"
    assert not (tmp_path / "b.txt").exists()
    write_export(rendered(a_txt=b"1"), tmp_path, overwrite=True)
    assert (tmp_path / "a.txt").read_bytes() == b"1"


def test_that_a_file_which_a_person_changed_after_the_export_is_not_replaced_nor_removed(tmp_path: Path) -> None:
    write_export(rendered(a_txt=b"1", b_txt=b"1"), tmp_path)
    (tmp_path / "a.txt").write_bytes(b"tuned by hand")
    with pytest.raises(UserError, match=r"a\.txt"):
        write_export(rendered(a_txt=b"2"), tmp_path)
    (tmp_path / "b.txt").write_bytes(b"tuned too")
    write_export(rendered(a_txt=b"2"), tmp_path, overwrite=True)
    assert (tmp_path / "b.txt").read_bytes() == b"tuned too"


@pytest.mark.parametrize("name", ["../out.txt", "/etc/x", "a/../../x", "", ".", "c:/x", "a\\..\\x"])
def test_that_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not a path inside"):
        write_export(Rendered({name: b"x"}, []), tmp_path / "in")
    assert list(tmp_path.rglob("*.txt")) == []


def test_that_a_forged_manifest_removes_nothing_outside_the_folder(tmp_path: Path) -> None:
    victim, folder = tmp_path / "victim.txt", tmp_path / "in"
    victim.write_bytes(b"")
    folder.mkdir()
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    (folder / MANIFEST).write_text(json.dumps({"files": {"../victim.txt": empty, "x": 3}}))
    write_export(rendered(a_txt=b"1"), folder)
    assert victim.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
@pytest.mark.parametrize("overwrite", [False, True])
def test_that_a_link_in_the_folder_is_not_followed(tmp_path: Path, overwrite: bool) -> None:
    victim, folder = tmp_path / "victim.txt", tmp_path / "in"
    victim.write_bytes(b"precious")
    folder.mkdir()
    (folder / "a.txt").symlink_to(victim)
    (folder / "sub").symlink_to(tmp_path)
    for one in (rendered(a_txt=b"1"), rendered(sub__victim_txt=b"1")):
        with pytest.raises(UserError, match="link"):
            write_export(one, folder, overwrite=overwrite)
    assert victim.read_bytes() == b"precious"


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs a folder that cannot be written")
def test_that_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(UserError, match=str(tmp_path)):
            write_export(rendered(a_txt=b"1"), tmp_path / "x")
    finally:
        tmp_path.chmod(0o700)


def test_that_a_file_in_the_place_of_the_folder_is_a_plain_error(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"")
    with pytest.raises(UserError):
        write_export(rendered(a_txt=b"1"), tmp_path / "x")

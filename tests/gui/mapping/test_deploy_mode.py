import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from app.edits.mappings import map_attribute, set_delivery
from app.errors import UserError
from app.gateways import exporters
from app.gateways.base import Options, Rendered
from app.model.project import Project
from tests.gui.mapping.conftest import click, type_into
from widgets.deploy_mode import DeployMode
from widgets.main_window import MainWindow
from widgets.modes import deploy
from widgets.rendering import Rendering
from widgets.workbench import Workbench


@pytest.fixture
def mode(window: MainWindow, line4: Workbench, qtbot: QtBot) -> DeployMode:
    window.show_mode("deploy")
    found = window.mode_widget("deploy")
    assert isinstance(found, DeployMode)
    settled(found, qtbot)
    return found


def settled(mode: DeployMode, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: mode.rendered is not None and mode.write.isEnabled() and not mode._rendering.busy)


def test_that_files_and_losses_of_the_target_are_shown(mode: DeployMode, line4: Workbench) -> None:
    exporter = mode.form.exporter
    assert exporter is not None
    expected = exporter.render(line4.project, Options({}, dict(exporter.options)))
    assert mode.rendered == expected
    assert mode.files.names.count() == len(expected.files)
    assert mode.losses.rowCount() == len(expected.losses)
    assert mode.files.text.toPlainText() == expected.files[mode.files.chosen].decode()
    assert exporter.tested_with in mode.form.tested.text()


def test_that_every_target_can_be_chosen_and_is_rendered(mode: DeployMode, qtbot: QtBot) -> None:
    for key in exporters():
        mode.form.targets.setCurrentIndex(mode.form.targets.findData(key))
        assert mode.form.exporter is exporters()[key]
        if not mode.write.isEnabled():
            settled(mode, qtbot)
        assert mode.files.chosen


def test_that_an_address_of_the_gateway_goes_into_the_files_but_not_into_the_project(
    mode: DeployMode, line4: Workbench, qtbot: QtBot
) -> None:
    field = mode.form.addresses["meter-modbus"]
    assert field.placeholderText() == "modbus://10.0.4.31"
    assert mode.form.addresses["filler-opcua"].placeholderText() == "opc.tcp://line4-plc:4840"
    type_into(field, "modbus://192.168.7.7:1502")
    settled(mode, qtbot)
    assert mode.rendered is not None
    assert any(b"192.168.7.7" in content for content in mode.rendered.files.values())
    assert line4.editor.is_saved


def test_that_what_was_chosen_is_there_again_for_the_same_project(
    mode: DeployMode, window: MainWindow, line4: Workbench, qtbot: QtBot
) -> None:
    last = list(exporters())[-1]
    mode.form.targets.setCurrentIndex(mode.form.targets.findData(last))
    type_into(mode.form.addresses["meter-modbus"], "modbus://192.168.7.7")
    project = line4.project
    line4.new()
    line4.new(project)
    assert mode.form.exporter is exporters()[last]
    assert mode.form.addresses["meter-modbus"].text() == "modbus://192.168.7.7"


def test_that_an_address_that_is_none_is_marked(mode: DeployMode) -> None:
    field = mode.form.addresses["meter-modbus"]
    type_into(field, "nowhere")
    assert field.property("invalid") is True
    type_into(field, "")
    assert field.property("invalid") is False


def test_that_an_edit_is_rendered_again_and_nothing_stale_can_be_written(mode: DeployMode, line4: Workbench, qtbot: QtBot) -> None:
    before = mode.rendered
    line4.do(set_delivery(line4.project, topic="other/{asset}"))
    assert not mode.write.isEnabled()
    settled(mode, qtbot)
    assert mode.rendered != before


def test_that_files_are_written_into_the_chosen_folder(mode: DeployMode, tmp_path: Path) -> None:
    dialog = mode.ask_for_folder()
    assert dialog.fileMode() == QFileDialog.FileMode.Directory
    dialog.fileSelected.emit(str(tmp_path / "out"))
    dialog.close()
    assert mode.rendered is not None
    for name, content in mode.rendered.files.items():
        assert (tmp_path / "out" / name).read_bytes() == content
    losses = json.loads((tmp_path / "out" / "losses.json").read_text(encoding="utf-8"))
    assert len(losses) == len(mode.rendered.losses)


def test_that_foreign_files_are_only_replaced_when_asked_for(mode: DeployMode, tmp_path: Path) -> None:
    assert mode.rendered is not None
    name = next(iter(mode.rendered.files))
    (tmp_path / name).write_text("mine")
    mode.write_into(tmp_path)
    assert (tmp_path / name).read_text() == "mine"
    assert "no export wrote" in mode.message.details()
    click(mode.message._actions[0])
    assert (tmp_path / name).read_bytes() == mode.rendered.files[name]


def test_that_errors_stand_first_and_go_when_they_are_mended(mode: DeployMode, line4: Workbench, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: "2 problems to mend" in mode.message.details())
    assert "bottles is required" in mode.message.details()
    assert deploy.MODE.count(line4) == 2
    line4.do(map_attribute(line4.project, "filler-2", "a-filler-bottles", "t-bottles"))
    line4.do(map_attribute(line4.project, "filler-2", "a-filler-recipe", "t-recipe"))
    qtbot.waitUntil(lambda: not mode.message.isVisible())
    assert deploy.MODE.count(line4) == 0


def test_that_the_problems_are_one_click_away(mode: DeployMode, window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: bool(mode.message._actions))
    click(mode.message._actions[0])
    assert window.docks()["problems"].isVisible()


def test_that_a_text_is_found_in_a_file(mode: DeployMode) -> None:
    mode.files.search.setText("mqtt")
    mode.files.search.ask()
    assert mode.files.found.text().endswith("found")
    click(mode.files.next)
    assert mode.files.found.text().startswith("1 of ")
    mode.files.search.setText("no such text anywhere")
    mode.files.search.ask()
    assert mode.files.found.text() == "not found"


def test_that_a_project_without_mappings_says_what_comes_first(window: MainWindow) -> None:
    window.show_mode("deploy")
    mode = window.mode_widget("deploy")
    assert isinstance(mode, DeployMode)
    assert not mode.files.isVisible()


class Slow:
    """A target that waits until it may go on, and tells in which thread it ran."""

    key: ClassVar[str] = "slow"
    title: ClassVar[str] = "Slow"
    tested_with: ClassVar[str] = "not run"
    options: ClassVar[Mapping[str, str]] = {}

    def __init__(self) -> None:
        self.may_go_on = threading.Event()
        self.threads: list[threading.Thread] = []

    def render(self, project: Project, options: Options) -> Rendered:
        self.threads.append(threading.current_thread())
        assert self.may_go_on.wait(10)
        if "fail" in options.values:
            raise UserError("Not rendered", where="Slow", why="it was told so")
        return Rendered(dict.fromkeys(options.values, b""), [])


def test_that_rendering_leaves_the_window_free_and_only_the_newest_result_is_told(
    window: MainWindow, line4: Workbench, qtbot: QtBot
) -> None:
    slow, rendering = Slow(), Rendering(window)
    told: list[object] = []
    rendering.done.connect(told.append)
    for name in ("first", "second", "third"):
        rendering.start(slow, line4.project, Options(values={name: ""}))
    assert rendering.busy
    slow.may_go_on.set()
    qtbot.waitUntil(lambda: not rendering.busy)
    assert told == [Rendered({"third": b""}, [])]
    assert all(thread is not threading.main_thread() for thread in slow.threads)


def test_that_a_target_that_refuses_is_told_as_an_error(window: MainWindow, line4: Workbench, qtbot: QtBot) -> None:
    slow, rendering = Slow(), Rendering(window)
    slow.may_go_on.set()
    with qtbot.waitSignal(rendering.done) as caught:
        rendering.start(slow, line4.project, Options(values={"fail": ""}))
    assert isinstance(caught.args[0], UserError)


def test_that_the_menu_writes_as_soon_as_there_is_something_to_write(window: MainWindow, line4: Workbench, qtbot: QtBot) -> None:
    window.menus.trigger("deploy.write")
    qtbot.waitUntil(lambda: any(dialog.isVisible() for dialog in window.findChildren(QFileDialog)))
    for dialog in window.findChildren(QFileDialog):
        dialog.close()

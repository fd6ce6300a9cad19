"""Tags: import, rename, remove, plot."""

from __future__ import annotations

from pathlib import Path

from app.edits.tags import remove_tags
from app.model.plant import Endpoint, Tag
from widgets.dialogs import can_rebind, show_import_tags, show_rebind, show_why_wrong
from widgets.files import ask_for_file
from widgets.main_window import MainWindow
from widgets.modes.connect import ConnectMode
from widgets.notation import register_place
from widgets.registry import Action
from widgets.type_of_tags import show_make_type_of_tags
from widgets.workbench import Workbench

RECORDINGS = "Tagloom recordings (*.tagloom-rec)"


def _tags(workbench: Workbench) -> list[str]:
    return list(workbench.selection.ids) if workbench.selection.kind == "tag" else []


def _any_endpoint(workbench: Workbench) -> bool:
    return bool(workbench.project.all(Endpoint))


def _any_tag(workbench: Workbench) -> bool:
    return bool(_tags(workbench))


def _import(window: MainWindow) -> None:
    show_import_tags(window, window.workbench)


def _paste(window: MainWindow) -> None:
    mode = window.mode_widget("connect")
    assert isinstance(mode, ConnectMode)
    mode.tags.paste()


def _remove(window: MainWindow) -> None:
    workbench = window.workbench
    workbench.attempt(lambda: remove_tags(workbench.project, _tags(workbench)))


def _rename(window: MainWindow) -> None:
    window.show_mode("connect")
    mode = window.mode_widget("connect")
    assert isinstance(mode, ConnectMode)
    mode.tags.rename_selected()


def _plot(window: MainWindow) -> None:
    window.mode_widget("plot")
    window.workbench.plot_asked.emit(_tags(window.workbench))
    window.show_mode("plot")


def _one_register(workbench: Workbench) -> bool:
    """One Modbus tag is selected."""
    tag = workbench.tag(_tags(workbench)[0]) if len(_tags(workbench)) == 1 else None
    return tag is not None and register_place(workbench, tag) is not None


def _why(window: MainWindow) -> None:
    show_why_wrong(window, window.workbench, _tags(window.workbench)[0])


def _all_tags(workbench: Workbench) -> bool:
    return bool(workbench.project.all(Tag))


def _record_text(workbench: Workbench) -> str:
    recording = workbench.live.recording
    if recording is not None:
        return f"Stop recording ({recording.rows:,} samples)"
    return f"Record {len(_tags(workbench)):,} selected tags…" if _tags(workbench) else "Record the watched tags…"


def _is_recording(workbench: Workbench) -> bool:
    return workbench.live.recording is not None


def _record(window: MainWindow) -> None:
    """Record the selected tags, or all that are watched now; a second time ends it."""
    workbench = window.workbench
    if workbench.live.recording is not None:
        workbench.stop_recording()
        return
    tags = _tags(workbench) or list(workbench.live.wanted())
    name = f"{workbench.path.stem if workbench.path else 'recording'}.tagloom-rec"
    ask_for_file(
        window, workbench, f"Record {len(tags):,} tags", RECORDINGS, lambda path: workbench.start_recording(path, tags), save_as=name
    )


def _export_recording(window: MainWindow) -> None:
    workbench = window.workbench

    def export(recording: Path) -> None:
        def write(out: Path) -> None:
            from app.samples.recording import export_csv

            workbench.said.emit(f"{export_csv(recording, out):,} rows written to {out.name}")

        ask_for_file(window, workbench, "Export recording as CSV", "CSV (*.csv)", write, save_as=f"{recording.stem}.csv")

    ask_for_file(window, workbench, "Recording to export", RECORDINGS, export)


def _any_stray(workbench: Workbench) -> bool:
    tags = _tags(workbench)
    return bool(tags) and can_rebind(workbench, tags)


def _rebind(window: MainWindow) -> None:
    show_rebind(window, window.workbench, _tags(window.workbench))


def _any_connected(workbench: Workbench) -> bool:
    return any(workbench.live.state(id_).phase == "connected" for id_ in workbench.endpoints())


def _rebind_all(window: MainWindow) -> None:
    show_rebind(window, window.workbench)


def _make_type(window: MainWindow) -> None:
    show_make_type_of_tags(window, window.workbench, _tags(window.workbench))


ACTIONS = [
    Action("tags.import", "Import…", "Tags", _import, "Ctrl+I", "import", 10, _any_endpoint),
    Action("tags.paste", "Paste tags", "Tags", _paste, "", "copy", 11, _any_endpoint, keywords="clipboard spreadsheet pdf register list"),
    Action("tags.rename", "Rename", "Tags", _rename, "F2", "", 20, _any_tag),
    Action("tags.plot", "Plot", "Tags", _plot, "Ctrl+P", "plot-add", 21, _any_tag),
    Action("tags.make_type", "Make asset type from these…", "Tags", _make_type, "", "asset-type", 22, _any_tag),
    Action(
        "tags.why",
        "Why does this look wrong?",
        "Tags",
        _why,
        "",
        "register-table",
        23,
        _one_register,
        keywords="byte order type scale register",
    ),
    Action("tags.rebind", "Re-bind…", "Tags", _rebind, "", "changed", 24, _any_stray, keywords="identity changed moved id path"),
    Action(
        "tags.rebind_all",
        "Re-bind all that were found by path…",
        "Tags",
        _rebind_all,
        "",
        "",
        25,
        _any_connected,
        keywords="identity changed moved node id namespace restart download",
    ),
    Action("tags.record", "Record…", "Tags", _record, "", "record", 40, _all_tags, _record_text, _is_recording, "log samples to a file"),
    Action("tags.export_recording", "Export recording as CSV…", "Tags", _export_recording, "", "csv", 41),
    Action("tags.remove", "Remove", "Tags", _remove, "Del", "remove", 30, _any_tag),
]

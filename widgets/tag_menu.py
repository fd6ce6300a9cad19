"""What can be done with selected tags: the menu twin of every drag from the tag table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QInputDialog, QMenu, QWidget

from app.edits.tags import remove_tags, set_group
from app.edits.watchlists import add_to_watch_list, add_watch_list, remove_from_watch_list, remove_watch_list
from app.model.plant import Group, WatchList
from widgets.dialogs import can_rebind, show_new_group, show_rebind, show_why_wrong
from widgets.look import icon
from widgets.notation import register_place
from widgets.type_of_tags import show_make_type_of_tags
from widgets.workbench import Workbench


def fill_tag_menu(menu: QMenu, workbench: Workbench, tags: Sequence[str], *, watch_list: str = "") -> None:
    """Entries for these tags; ``watch_list`` is the one that is shown, "" for all tags."""
    above = menu.parentWidget()
    assert above is not None, "dialogs outlive the menu, and need another parent"
    window = above.window()
    if tags:
        menu.addAction(icon("plot-add"), "Plot").triggered.connect(lambda: workbench.plot_asked.emit(list(tags)))
        _group_entries(menu.addMenu(icon("group"), "Group"), workbench, tags, window)
        _list_entries(menu.addMenu(icon("eye"), "Watch list"), workbench, tags, window)
        menu.addAction(icon("asset-type"), "Make asset type from these…").triggered.connect(
            lambda: show_make_type_of_tags(menu.window(), workbench, tags)
        )
        if len(tags) == 1 and (tag := workbench.tag(tags[0])) is not None and register_place(workbench, tag) is not None:
            why = menu.addAction(icon("register-table"), "Why does this look wrong?")
            why.triggered.connect(lambda: show_why_wrong(window, workbench, tags[0]))
        if can_rebind(workbench, tags):
            menu.addAction(icon("changed", "warn"), "Re-bind…").triggered.connect(lambda: show_rebind(window, workbench, tags))
        menu.addSeparator()
        menu.addAction("Copy address").triggered.connect(lambda: _copy(workbench, tags))
        if watch_list:
            menu.addAction("Remove from this watch list").triggered.connect(_doing(workbench, remove_from_watch_list, watch_list, tags))
        menu.addAction(icon("remove"), "Remove\tDel").triggered.connect(_doing(workbench, remove_tags, tags))
    if watch_list:
        menu.addSeparator()
        menu.addAction("Delete this watch list").triggered.connect(_doing(workbench, remove_watch_list, watch_list))
    if not tags and not watch_list:
        menu.addAction("Select rows first").setEnabled(False)


def _doing(workbench: Workbench, build: Callable[..., object], *arguments: object) -> Callable[[], object]:
    return lambda: workbench.attempt(lambda: build(workbench.project, *arguments))  # type: ignore[arg-type,return-value]  # every builder gives an Edit


def _copy(workbench: Workbench, tags: Sequence[str]) -> None:
    QGuiApplication.clipboard().setText("\n".join(tag.address for id_ in tags if (tag := workbench.tag(id_))))


def _group_entries(menu: QMenu, workbench: Workbench, tags: Sequence[str], window: QWidget) -> None:
    for group in sorted(workbench.project.all(Group).values(), key=lambda group: group.name.casefold()):
        menu.addAction(f"{group.name}   {group.interval_ms} ms").triggered.connect(_doing(workbench, set_group, tags, group.id))
    menu.addAction("No group   1000 ms").triggered.connect(_doing(workbench, set_group, tags, ""))
    menu.addSeparator()
    menu.addAction(icon("add"), "New group…").triggered.connect(lambda: show_new_group(window, workbench, tags))


def _list_entries(menu: QMenu, workbench: Workbench, tags: Sequence[str], window: QWidget) -> None:
    for list_ in sorted(workbench.project.all(WatchList).values(), key=lambda list_: list_.name.casefold()):
        menu.addAction(list_.name).triggered.connect(_doing(workbench, add_to_watch_list, list_.id, tags))
    menu.addSeparator()
    menu.addAction(icon("add"), "New watch list…").triggered.connect(lambda: _new_list(window, workbench, tags))


def _new_list(window: QWidget, workbench: Workbench, tags: Sequence[str]) -> None:
    dialog = QInputDialog(window)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle("New watch list")
    dialog.setLabelText(f"Name of the list that begins with {len(tags)} {'tag' if len(tags) == 1 else 'tags'}:")
    dialog.textValueSelected.connect(lambda name: workbench.attempt(lambda: add_watch_list(workbench.project, name, tags)))
    dialog.open()

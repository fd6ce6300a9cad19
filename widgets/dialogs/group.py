"""A new group of tags: its rate and its deadband."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QDoubleSpinBox, QFormLayout, QLineEdit, QSpinBox, QVBoxLayout, QWidget

from app.edits import Edit, create, replace
from app.edits.edit import with_fields
from app.errors import UserError
from app.model.ids import make_id
from app.model.plant import Group, Tag
from app.model.project import Project
from widgets.look import MessageBar, label
from widgets.workbench import Workbench


def group_with(project: Project, name: str, interval_ms: int, deadband: float, tags: Sequence[str]) -> Edit:
    """A new group and its tags, as one edit.

    Raises:
        UserError: No name, or one that is taken.
    """
    name = name.strip()
    if not name or any(group.name == name for group in project.all(Group).values()):
        raise UserError(
            "No group made", where=name or "New group", why="a group needs a name that no other group has", fix="Type another name"
        )
    group = Group(id=make_id("group", "", name, taken=project.ids()), name=name, interval_ms=interval_ms, deadband=deadband)
    moved = [with_fields(tag, group=group.id) for id_ in tags if (tag := project.get(Tag, id_))]
    return create(f"New group {name}", [group]).then(replace("", project, moved))


class NewGroupDialog(QDialog):
    def __init__(self, workbench: Workbench, tags: Sequence[str], parent: QWidget | None) -> None:
        super().__init__(parent)
        self._workbench, self._tags = workbench, list(tags)
        self.setWindowTitle("New group")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.name = QLineEdit(placeholderText="fast")
        self.interval = QSpinBox(minimum=10, maximum=3_600_000, value=250, suffix=" ms")
        self.deadband = QDoubleSpinBox(minimum=0, maximum=1e9, decimals=4)
        self.deadband.setSpecialValueText("every change")
        self.message = MessageBar()
        self.message.hide()
        form = QFormLayout()
        form.addRow("Name", self.name)
        form.addRow("Rate", self.interval)
        form.addRow("Deadband, in the unit of the tag", self.deadband)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        buttons.addButton("Make group", QDialogButtonBox.ButtonRole.AcceptRole)
        layout = QVBoxLayout(self)
        layout.addWidget(label(f"{len(self._tags):,} selected tags go into it.", "dim"))
        layout.addLayout(form)
        layout.addWidget(self.message)
        layout.addWidget(buttons)
        buttons.accepted.connect(self._on_make)
        buttons.rejected.connect(self.reject)

    def _on_make(self) -> None:
        try:
            edit = group_with(self._workbench.project, self.name.text(), self.interval.value(), self.deadband.value(), self._tags)
        except UserError as error:
            self.message.show_error(error)
            self.message.show()
            return
        self._workbench.do(edit)
        self.accept()


def show_new_group(parent: QWidget | None, workbench: Workbench, tags: Sequence[str]) -> NewGroupDialog:
    dialog = NewGroupDialog(workbench, tags, parent)
    dialog.open()
    return dialog

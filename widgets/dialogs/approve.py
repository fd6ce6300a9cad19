"""Approve mappings and deliveries under a name, and comment on them: what reviewers leave in the project."""

from __future__ import annotations

import getpass
from collections.abc import Sequence

from PySide6.QtWidgets import QFormLayout, QLineEdit, QPlainTextEdit, QWidget

from app.edits import Edit, create, delete, replace
from app.edits.edit import with_fields
from app.errors import UserError
from app.model.ids import make_id
from app.model.project import Project
from app.model.reviewing import Comment
from app.model.times import rfc3339
from app.review.approval import approve, review_state
from app.runtime.clock import SYSTEM_CLOCK
from widgets.dialogs.edit_dialog import EditDialog
from widgets.look import label
from widgets.workbench import Workbench

REVIEWER = "reviewer"
SHOWN = 6


def reviewer_of(workbench: Workbench) -> str:
    """The name that was given last, else that of the person at the keyboard."""
    return str(workbench.workspace.setting(REVIEWER)) or getpass.getuser()


def now_text() -> str:
    """RFC 3339 UTC, whole seconds: a review has no milliseconds."""
    return rfc3339(SYSTEM_CLOCK.wall_ns() // 1_000_000_000 * 1_000_000_000)


class _Signed(EditDialog):
    """A dialog with a name that is remembered for the next time."""

    def _name_field(self, form: QFormLayout) -> QLineEdit:
        field = QLineEdit(reviewer_of(self.workbench))
        field.setAccessibleName("Your name")
        form.addRow("Your name", field)
        return field

    def _remember(self, name: str) -> None:
        if name and name != reviewer_of(self.workbench):
            self.workbench.workspace.set_setting(REVIEWER, name)


class ApproveDialog(_Signed):
    """An approval holds for exactly what the rows are now; any change afterwards shows as changed."""

    def __init__(self, workbench: Workbench, ids: Sequence[str], words: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(workbench, "Approve", "Approve", parent)
        self._ids = list(ids)
        self.resize(520, 270)
        states = [review_state(workbench.project, id_) for id_ in ids]
        waiting = len(ids) - states.count("approved")
        done = states.count("approved")
        title = f"{waiting} to approve" + (f", {done} approved already" if done else "")
        self.body.addWidget(label(title, "title"))
        listed = "\n".join(words[:SHOWN]) + (f"\nand {len(words) - SHOWN} more" if len(words) > SHOWN else "")
        self.body.addWidget(label(listed, "dim", wrap=True))
        form = QFormLayout()
        self.name = self._name_field(form)
        self.why = QLineEdit(placeholderText="what it was compared with, for example the HMI")
        self.why.setAccessibleName("Why")
        form.addRow("Why", self.why)
        self.body.addLayout(form)
        self.body.addStretch(1)
        self.body.addWidget(
            label("It holds for the source, transform, units, range, topic and delivery as they are now.", "dim", wrap=True)
        )
        self.ok.setEnabled(waiting > 0)

    def make_edit(self) -> Edit:
        by = self.name.text().strip()
        edit = approve(self.workbench.project, self._ids, by=by, at=now_text(), why=self.why.text().strip())
        self._remember(by)
        return edit


class CommentDialog(_Signed):
    """One comment on a mapping or a delivery."""

    def __init__(self, workbench: Workbench, about: str, words: str, parent: QWidget | None = None) -> None:
        super().__init__(workbench, "Comment", "Add comment", parent)
        self._about = about
        self.resize(480, 280)
        self.body.addWidget(label(words, "title", wrap=True))
        self.text = QPlainTextEdit()
        self.text.setAccessibleName("Comment")
        self.text.setTabChangesFocus(True)
        self.body.addWidget(self.text, 1)
        form = QFormLayout()
        self.name = self._name_field(form)
        self.body.addLayout(form)

    def make_edit(self) -> Edit:
        text, by = self.text.toPlainText().strip(), self.name.text().strip()
        if not text or not by:
            why = "nothing is written" if not text else "a comment needs the name of who wrote it"
            raise UserError("No comment added", where="Comment" if not text else "Your name", why=why, fix="Fill it in")
        self._remember(by)
        return comment_edit(self.workbench.project, self._about, by=by, at=now_text(), text=text)


def comment_edit(project: Project, about: str, *, by: str, at: str, text: str) -> Edit:
    id_ = make_id("comment", about, text[:40], at + by, taken=project)
    return create("Comment", [Comment(id=id_, about=about, by=by, at=at, text=text)])


def resolve_edit(project: Project, comment: str, *, resolved: bool) -> Edit:
    held = project.all(Comment)[comment]
    return replace("Resolve comment" if resolved else "Reopen comment", project, [with_fields(held, resolved=resolved)])


def revoke_edit(project: Project, ids: Sequence[str]) -> Edit:
    """Take back every approval of these mappings and deliveries; the edit (and git) keep that they were there."""
    approvals = [approval for id_ in ids for approval in project.approvals_about(id_)]
    return delete(f"Revoke {len(approvals)} approval{'' if len(approvals) == 1 else 's'}", approvals)


def show_approve(parent: QWidget | None, workbench: Workbench, ids: Sequence[str], words: Sequence[str]) -> ApproveDialog:
    """Args: ids: of mappings and deliveries. words: What each is, for the person who signs."""
    dialog = ApproveDialog(workbench, ids, words, parent)
    dialog.open()
    return dialog


def show_comment(parent: QWidget | None, workbench: Workbench, about: str, words: str) -> CommentDialog:
    dialog = CommentDialog(workbench, about, words, parent)
    dialog.open()
    dialog.text.setFocus()
    return dialog

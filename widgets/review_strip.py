"""What there is to say about the one row that a reviewer looks at: its state in a sentence, and its comments."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.model.project import Project
from app.model.reviewing import Comment
from app.review.approval import ReviewState, newest_approval
from widgets.attribute_rows import REVIEW_BADGES
from widgets.dialogs import resolve_edit
from widgets.look import BadgeLabel, ElidedLabel, button, label
from widgets.models.review_table import ReviewRow
from widgets.workbench import Workbench

SHOWN = 4


def state_sentence(project: Project, id_: str, state: ReviewState) -> str:
    """What is known. An approval keeps a digest, not a copy, so what differs is not."""
    newest = newest_approval(project, id_)
    if newest is None:
        return "Nobody has approved this yet."
    whom = f"{newest.by} on {newest.at[:10]}" + (f" ({newest.why})" if newest.why else "")
    if state == "approved":
        return f"Approved by {whom}."
    what = "The approval keeps a digest and no copy: the history of the project file shows what changed."
    return f"Approved by {whom}, and changed since. {what}"


class ReviewStrip(QWidget):
    """Empty without a row."""

    comment_asked = Signal()
    revoke_asked = Signal()

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self.title = ElidedLabel("", "title")
        self.badge = BadgeLabel("", self)
        self.sentence = label("", wrap=True)
        self.comment = button("Comment…", "comment", kind="flat")
        self.revoke = button("Revoke approval", "undo", kind="flat")
        head = QHBoxLayout()
        head.addWidget(self.badge)
        head.addWidget(self.title, 1)
        head.addWidget(self.comment)
        head.addWidget(self.revoke)
        self._comments = QVBoxLayout()
        self._comments.setSpacing(2)
        self._lines: list[QWidget] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 6, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.sentence)
        column.addLayout(self._comments)
        self.comment.clicked.connect(self.comment_asked)
        self.revoke.clicked.connect(self.revoke_asked)

    def show_row(self, row: ReviewRow | None, state: ReviewState) -> None:
        self.setVisible(row is not None)
        if row is None:
            return
        project = self._workbench.project
        self.title.setText(row.words)
        self.badge.set_badge(REVIEW_BADGES[state])
        self.sentence.setText(state_sentence(project, row.id, state))
        self.revoke.setVisible(bool(project.approvals_about(row.id)))
        self._show_comments(sorted(project.comments_about(row.id), key=lambda comment: (comment.resolved, comment.at)))

    def _show_comments(self, comments: list[Comment]) -> None:
        for line in self._lines:
            self._comments.removeWidget(line)
            line.hide()
            line.deleteLater()
        self._lines = [self._line(comment) for comment in comments[:SHOWN]]
        if len(comments) > SHOWN:
            self._lines.append(label(f"and {len(comments) - SHOWN} more", "dim"))
        for line in self._lines:
            self._comments.addWidget(line)

    def _line(self, comment: Comment) -> QWidget:
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        words = label(f"{comment.by}, {comment.at[:10]}: {comment.text}", "dim" if comment.resolved else "", wrap=True, selectable=True)
        turn = button("Reopen" if comment.resolved else "Resolve", "" if comment.resolved else "ok", kind="flat")
        turn.clicked.connect(partial(self._turn, comment))
        row.addWidget(words, 1)
        row.addWidget(turn)
        return line

    def _turn(self, comment: Comment) -> None:
        self._workbench.attempt(lambda: resolve_edit(self._workbench.project, comment.id, resolved=not comment.resolved))

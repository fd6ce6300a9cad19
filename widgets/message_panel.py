"""Message: topic and JSON of the selected asset, as a gateway would send it now."""

from __future__ import annotations

from typing import Final

from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QStackedLayout, QVBoxLayout, QWidget

from app.mapping.message import json_schema
from app.model.itmodel import Asset
from widgets.asset_values import AssetValues, json_text
from widgets.dialogs import live_words, show_delivery
from widgets.json_view import MonoView, messages_text
from widgets.look import ElidedLabel, EmptyState, button, label, tool_button
from widgets.workbench import Workbench

OWNER: Final = "preview"


class MessagePanel(QWidget):
    """Evaluated twice a second while visible; asks the device for the asset's tags only then."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self._values = AssetValues(workbench, self)
        self._asset = ""
        self._texts: list[tuple[str, str]] = []
        self._build()
        workbench.selection_changed.connect(self._on_selection_changed)
        workbench.project_replaced.connect(self._on_project_replaced)
        workbench.edited.connect(lambda _: self._on_edited())
        workbench.staleness_ticked.connect(self._on_tick)

    def _build(self) -> None:
        self.topic = ElidedLabel("", "title")
        self.state = label("", "dim")
        self.view = MonoView("Message")
        self.copy_topic = tool_button("copy", "Copy topic")
        self.copy = button("Copy", "copy", kind="flat", tip="Copy the message")
        self.more = tool_button("more", "More")
        menu = QMenu(self.more)
        self.copy_schema = menu.addAction("Copy JSON Schema of this message")
        self.edit_delivery = menu.addAction("Delivery…")
        self.more.setMenu(menu)
        self.more.setPopupMode(self.more.ToolButtonPopupMode.InstantPopup)
        head = QHBoxLayout()
        head.addWidget(self.topic, 1)
        head.addWidget(self.copy_topic)
        foot = QHBoxLayout()
        foot.addWidget(self.state, 1)
        foot.addWidget(self.copy)
        foot.addWidget(self.more)
        shown = QWidget()
        column = QVBoxLayout(shown)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self.view, 1)
        column.addLayout(foot)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(EmptyState("wire", "No message yet", "Select an asset or one of its attributes to see what IT receives."))
        self._stack.addWidget(shown)
        self.copy_topic.clicked.connect(lambda: _to_clipboard("\n".join(topic for topic, _ in self._texts)))
        self.copy.clicked.connect(lambda: _to_clipboard(messages_text(self._texts, len(self._texts))))
        self.copy_schema.triggered.connect(self._copy_json_schema)
        self.edit_delivery.triggered.connect(self._on_delivery)

    # Which asset

    def _on_selection_changed(self) -> None:
        """Another kind of selection (a tag, a node) leaves the asset that was shown: mapping is done with both in view."""
        selection = self._workbench.selection
        if selection.kind in ("asset", "attribute") and selection.ids:
            self._show_asset(selection.ids[0].split("\0")[0])

    def _on_project_replaced(self) -> None:
        self._show_asset("")

    def _on_edited(self) -> None:
        if self._asset and self._workbench.project.get(Asset, self._asset) is None:
            self._show_asset("")
        self._want()
        self.refresh()

    def _show_asset(self, asset: str) -> None:
        self._asset = asset
        self._values.set_asset(asset)
        self._stack.setCurrentIndex(1 if asset else 0)
        self._want()
        self.refresh()

    def _want(self) -> None:
        self._workbench.live.want(OWNER, self._values.tags() if self.isVisible() else [])

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._want()
        self.refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._workbench.live.want(OWNER, [])

    # What is shown

    def _on_tick(self) -> None:
        if self.isVisible():
            self.refresh()

    def refresh(self) -> None:
        """Evaluate now."""
        if not self._asset or not self.isVisible():
            return
        sent = self._values.messages()
        self._texts = sent.texts
        several = len(sent.texts) != 1
        self.topic.setText(f"{len(sent.texts)} messages" if several else sent.texts[0][0])
        self.view.show_text(messages_text(sent.texts))
        self.state.setText(live_words(sent.mapped, sent.not_live))

    def _copy_json_schema(self) -> None:
        asset = self._workbench.project.get(Asset, self._asset)
        if asset is not None:
            _to_clipboard(json_text(json_schema(self._workbench.project, asset.asset_type)))
            self._workbench.said.emit(f"JSON Schema of the messages of {asset.name} copied")

    def _on_delivery(self) -> None:
        asset = self._workbench.project.get(Asset, self._asset)
        show_delivery(self.window(), self._workbench, asset.asset_type if asset else "")


def _to_clipboard(text: str) -> None:
    QGuiApplication.clipboard().setText(text)

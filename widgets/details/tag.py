"""A tag: what it is, and what it reads now."""

from __future__ import annotations

from app.drivers import spec_for
from app.errors import UserError
from app.mapping.transform import symbol
from app.model.plant import Endpoint, Group, Tag
from app.model.times import rfc3339
from app.runtime.state import Reading
from widgets.details.sheet import Sheet
from widgets.dialogs import show_rebind
from widgets.look import KeyValue, MessageBar
from widgets.look.message_bar import Severity
from widgets.reading_text import quality_key, quality_text, status_text, suspicions, value_text
from widgets.workbench import Workbench


class TagView(Sheet):
    """Refreshed when its tag gets a value, twice a second at the most otherwise."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self._trouble = MessageBar()
        self.body.insertWidget(2, self._trouble)
        self._shown_trouble = self._history = ("", "")
        self.body.addStretch(1)
        workbench.tags_changed.connect(self._on_tags_changed)
        workbench.staleness_ticked.connect(self._on_tick)

    def _on_tags_changed(self, tags: set[str]) -> None:
        selection = self._workbench.selection
        if self.isVisible() and selection.kind == "tag" and selection.ids and selection.ids[0] in tags:
            self.refresh()

    def _on_tick(self) -> None:
        if self.isVisible() and self._workbench.selection.kind == "tag":
            self._history = self._usage()
            self.refresh()

    def _usage(self) -> tuple[str, str]:
        """What is kept of the tag, in words, and for which tag; counted only now and then."""
        tag = self._workbench.selection.ids[0]
        kept = self._workbench.live.history.usage(tag)
        return (tag, str(kept)) if kept.rows else (tag, "")

    def refresh(self) -> None:
        tag = self._workbench.tag(self._workbench.selection.ids[0])
        if tag is None:
            self.show_rows("", "this tag is no longer in the project", [])
            self._trouble.hide()
            return
        endpoint = self._workbench.endpoint(tag.endpoint)
        reading = self._workbench.live.reading(tag.id)
        self.show_rows(
            tag.name, endpoint.name if endpoint else tag.endpoint, [*_live_rows(tag, endpoint, reading), *self._settings(tag, endpoint)]
        )

        self._show_trouble(tag, reading)

    def _show_trouble(self, tag: Tag, reading: Reading) -> None:
        """Once for each: its button must not be made anew while a person presses it."""
        strayed = reading.cause in ("moved", "identity changed")
        wanted = (tag.id, reading.problem) if strayed else ("", "")
        if wanted == self._shown_trouble:
            return
        self._shown_trouble = wanted
        self._trouble.setVisible(strayed)
        if strayed:
            what = "Its id has changed" if reading.cause == "moved" else "Another variable stands at its address"
            where = f"its own variable seems to be {reading.rebind}" if reading.rebind and reading.cause != "moved" else ""
            severity: Severity = "warning" if reading.cause == "moved" else "error"
            self._trouble.show_message(what, severity, why=reading.problem, where=where)
            button = self._trouble.add_action("Re-bind…", "changed")
            button.clicked.connect(lambda: show_rebind(self.window(), self._workbench, [tag.id]))

    def _settings(self, tag: Tag, endpoint: Endpoint | None) -> list[KeyValue]:
        group = self._workbench.project.get(Group, tag.group)
        rows = [KeyValue("Address", tag.address)]
        rows += [KeyValue(name, text) for name, text in _parts(tag, endpoint)]
        if tag.path:
            rows.append(KeyValue("Path", tag.path))
        if tag.type:
            rows.append(KeyValue("Type", tag.type))
        if tag.gain != 1 or tag.offset:
            rows.append(KeyValue("Scale", f"raw × {tag.gain:g} {tag.offset:+g}"))
        if tag.low is not None and tag.high is not None:
            rows.append(KeyValue("Range", f"{tag.low:g} … {tag.high:g} {symbol(tag.unit)}".strip()))
        if tag.enum:
            rows.append(KeyValue("States", "\n".join(f"{number} = {name}" for number, name in tag.enum.items())))
        rows.append(KeyValue("Group", f"{group.name}, {group.interval_ms} ms" if group else "default, 1000 ms"))
        rows.append(KeyValue("Access", {"r": "read", "rw": "read and write", "w": "write"}[tag.access]))
        if tag.description:
            rows.append(KeyValue("Description", tag.description))
        mapped = [mapping.id for mapping in self._workbench.project.mappings_from(tag.id)]
        if self._history[0] == tag.id and self._history[1]:
            rows.append(KeyValue("History", self._history[1], tip="Fixed for each tag, however long it is watched"))
        rows.append(KeyValue("Mapped to", f"{len(mapped)} attribute{'' if len(mapped) == 1 else 's'}" if mapped else "nothing"))
        return rows


def _live_rows(tag: Tag, endpoint: Endpoint | None, reading: Reading) -> list[KeyValue]:
    rows = [
        KeyValue("Value", f"{value_text(reading, tag)} {symbol(tag.unit)}".strip()),
        KeyValue("Quality", quality_text(reading), badge=quality_key(reading)),
    ]
    rows += [KeyValue("Suspect", mark) for mark in suspicions(endpoint, tag, reading)]
    if reading.problem and reading.cause not in ("moved", "identity changed"):  # those have a bar with their remedy
        rows.append(KeyValue("Why", reading.problem))
    sample = reading.sample
    if sample is not None and reading.cause != "identity changed":  # withheld: nothing of it is the tag's
        rows.append(KeyValue("Status", status_text(endpoint, sample.status)))
        for name, time_ns in (("Source time", sample.source_ns), ("Server time", sample.server_ns), ("Receive time", sample.receive_ns)):
            if time_ns is not None:
                day = f"{rfc3339(time_ns)[:10]} " if reading.as_of_ns is not None else ""
                rows.append(KeyValue(name, f"{day}{rfc3339(time_ns)[11:-1]} UTC", tip=rfc3339(time_ns)))
    if reading.interval_ms is not None:
        rows.append(KeyValue("Rate", f"{reading.interval_ms:g} ms"))
    return rows


def _parts(tag: Tag, endpoint: Endpoint | None) -> list[tuple[str, str]]:
    if endpoint is None:
        return []
    try:
        return list(spec_for(endpoint.addresses["default"]).describe(tag.address).items())
    except UserError as error:
        return [("Address", f"{error.what}: {error.why}")]

"""An attribute of an asset: what feeds it, what IT gets now, what reviewers and checks say."""

from __future__ import annotations

from app.edits.mappings import unmap
from app.errors import UserError
from app.mapping.evaluate import ItValue, evaluate
from app.mapping.transform import affine_of, symbol, transform_text
from app.model.itmodel import Asset, Attribute
from app.model.mapping import Mapping
from app.model.plant import Endpoint, Tag
from app.model.resolve import ResolvedAttribute, path_of
from app.model.times import rfc3339
from app.review.approval import newest_approval, review_state
from app.runtime.state import Reading
from widgets.attribute_rows import REVIEW_BADGES, mapping_of, range_text, row_of
from widgets.details.curve import Curve, Line
from widgets.details.sheet import Sheet
from widgets.dialogs import show_approve, show_choose_tag, show_transform
from widgets.flow_row import flow_row
from widgets.look import Badge, KeyValue, KeyValueTable, button
from widgets.mapping_edits import map_tags, target_of
from widgets.reading_text import is_trusted, quality_key, quality_text, value_text
from widgets.transform_preview import it_text, it_unit
from widgets.workbench import Workbench

OWNER = "details"


class AttributeView(Sheet):
    """Refreshed when its tag gets a value, and twice a second; asks the device for that one tag while visible."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self._wanted: str = ""
        self.curve = Curve()
        self.body.addWidget(self.curve)
        self.more = KeyValueTable(fit=True)
        self.map = button("Map to tag…", "tag", kind="primary")
        self.edit = button("Edit transform…", "transform")
        self.approve = button("Approve…", "approve")
        self.unmap = button("Unmap", "unlink", kind="flat")
        self.body.addWidget(flow_row(self.map, self.edit, self.approve, self.unmap))
        self.body.addWidget(self.more)
        self.body.addStretch(1)
        self.map.clicked.connect(self._on_map)
        self.edit.clicked.connect(self._on_edit)
        self.approve.clicked.connect(self._on_approve)
        self.unmap.clicked.connect(self._on_unmap)
        workbench.tags_changed.connect(self._on_tags_changed)
        workbench.staleness_ticked.connect(self._on_tick)
        workbench.findings_changed.connect(self._on_tick)

    @property
    def _shown(self) -> bool:
        selection = self._workbench.selection
        return self.isVisible() and selection.kind == "attribute" and bool(selection.ids)

    def _mapping(self) -> Mapping | None:
        selection = self._workbench.selection
        return mapping_of(self._workbench.project, target_of(selection.ids[0])) if selection.kind == "attribute" else None

    def _on_tags_changed(self, tags: set[str]) -> None:
        if self._shown and self._wanted in tags:
            self.refresh()

    def _on_tick(self) -> None:
        if self._shown:
            self.refresh()
        elif self._wanted:
            self._want("")

    def _want(self, tag: str) -> None:
        if tag != self._wanted:
            self._wanted = tag
            self._workbench.live.want(OWNER, [tag] if tag else [])

    def refresh(self) -> None:
        project, target = self._workbench.project, target_of(self._workbench.selection.ids[0])
        asset, row = project.get(Asset, target[0]), row_of(project, target)
        if asset is None or row is None:
            self.show_rows("", "this attribute is no longer in the project", [])
            self.more.set_rows([])
            self._show_actions(None, exists=False)
            return
        mapping = mapping_of(project, target)
        tag = project.get(Tag, mapping.sources[0]) if mapping and mapping.sources else None
        self._want(tag.id if tag else "")
        reading = self._workbench.live.reading(tag.id) if tag else Reading()
        value = evaluate(project, mapping, reading.sample) if mapping else None
        rows = self._live_rows(tag, mapping, reading, value, row.attribute)
        self.show_rows(row.path, path_of(project, asset), [*rows, *self._finding_rows(asset, row, mapping)])
        self.more.set_rows([*self._source_rows(tag, value, mapping), *_model_rows(row)])
        self._show_curve(tag, mapping, row.attribute, reading)
        self._show_actions(mapping, exists=True)

    def _live_rows(
        self, tag: Tag | None, mapping: Mapping | None, reading: Reading, value: ItValue | None, attribute: Attribute
    ) -> list[KeyValue]:
        if mapping is None or value is None:
            return [KeyValue("Source", "", badge="unmapped")]
        rows = [KeyValue("Source", tag.name if tag else "no tag")]
        if tag is not None:
            rows.append(KeyValue("Source now", f"{value_text(reading, tag)} {symbol(tag.unit)}".strip() or "–"))
        rows.append(KeyValue("Transform", transform_text(mapping.transform) or "none"))
        rows.append(KeyValue("IT value now", f"{it_text(value)} {it_unit(value, attribute)}".strip()))
        if value.reason and value.value is not None:
            rows.append(KeyValue("Note", value.reason))
        if tag is not None:
            rows.append(KeyValue("Quality", quality_text(reading), badge=_quality_badge(reading)))
            if reading.problem:
                rows.append(KeyValue("Why", reading.problem))
        return [*rows, *self._review_rows(mapping)]

    def _source_rows(self, tag: Tag | None, value: ItValue | None, mapping: Mapping | None) -> list[KeyValue]:
        rows: list[KeyValue] = []
        if tag is not None:
            endpoint = self._workbench.project.get(Endpoint, tag.endpoint)
            rows += [KeyValue("Endpoint", endpoint.name if endpoint else tag.endpoint), KeyValue("Address", tag.address)]
        if value is not None and value.time_ns is not None:
            moment = rfc3339(value.time_ns // 1_000_000 * 1_000_000).replace("T", " ").replace("Z", " UTC")
            rows.append(KeyValue(f"{value.time_kind.capitalize()} time", moment))
        return rows + (_policy_rows(mapping) if mapping else [])

    def _review_rows(self, mapping: Mapping) -> list[KeyValue]:
        project = self._workbench.project
        state = review_state(project, mapping.id)
        rows = [KeyValue("Review", state, badge=Badge(REVIEW_BADGES[state]))]
        newest = newest_approval(project, mapping.id)
        if newest is not None:
            rows.append(KeyValue("Approved", f"{newest.by}, {newest.at[:10]}" + (f"\n{newest.why}" if newest.why else "")))
        if open_comments := [comment for comment in project.comments_about(mapping.id) if not comment.resolved]:
            rows.append(KeyValue("Comments", "\n".join(f"{comment.by}: {comment.text}" for comment in open_comments)))
        return rows

    def _finding_rows(self, asset: Asset, row: ResolvedAttribute, mapping: Mapping | None) -> list[KeyValue]:
        place = f"{path_of(self._workbench.project, asset)}/{row.path}"
        about = {mapping.id if mapping else "", row.attribute.id} - {""}
        found = [one for one in self._workbench.findings if one.about in about or (one.about == asset.id and one.place == place)]
        rows: list[KeyValue] = []
        for one in found:
            rows.append(KeyValue(one.rule, one.severity, badge=Badge(one.severity)))
            rows.append(KeyValue("", f"{one.message}. {one.fix}" if one.fix else one.message))
        return rows

    def _show_curve(self, tag: Tag | None, mapping: Mapping | None, attribute: Attribute, reading: Reading) -> None:
        line = _line_of(tag, mapping, attribute)
        raw = reading.sample.value if reading.sample is not None else None
        number = float(raw) if isinstance(raw, int | float) and not isinstance(raw, bool) else None
        self.curve.show_line(line, number, trusted=is_trusted(reading))

    def _show_actions(self, mapping: Mapping | None, *, exists: bool) -> None:
        self.map.setVisible(exists and mapping is None)
        for widget in (self.edit, self.approve, self.unmap):
            widget.setVisible(mapping is not None)
        if mapping is None:
            self.curve.show_line(None, None)
        else:
            self.approve.setEnabled(review_state(self._workbench.project, mapping.id) != "approved")

    def _on_map(self) -> None:
        target = target_of(self._workbench.selection.ids[0])
        row = row_of(self._workbench.project, target)
        if row is not None:
            show_choose_tag(self.window(), self._workbench, row.path, lambda tag: map_tags(self._workbench, [target], [tag]))

    def _on_edit(self) -> None:
        if (mapping := self._mapping()) is not None:
            show_transform(self.window(), self._workbench, mapping.id)

    def _on_approve(self) -> None:
        if (mapping := self._mapping()) is not None:
            show_approve(self.window(), self._workbench, [mapping.id], [f"{self.subtitle.text()}/{self.title.text()}"])

    def _on_unmap(self) -> None:
        if (mapping := self._mapping()) is not None:
            self._workbench.attempt(lambda: unmap(self._workbench.project, [mapping.id]))


def _quality_badge(reading: Reading) -> Badge | None:
    key = quality_key(reading)
    return Badge(key, quality_text(reading)) if key else None


def _policy_rows(mapping: Mapping) -> list[KeyValue]:
    """Only what differs from the defaults."""
    words = []
    if mapping.time != "source":
        words.append(f"{mapping.time} time is delivered")
    if mapping.quality == "good_only":
        words.append("good values only")
    if mapping.quality == "hold":
        words.append(f"the last good value is held for {mapping.hold_s:g} s")
    if mapping.interval_ms is not None:
        words.append(f"at most every {mapping.interval_ms} ms")
    rows = [KeyValue("Policies", "\n".join(words))] if words else []
    return [*rows, KeyValue("Remark", mapping.note)] if mapping.note else rows


def _model_rows(row: ResolvedAttribute) -> list[KeyValue]:
    attribute = row.attribute
    rows = [KeyValue("Type", attribute.data_type)]
    if attribute.unit:
        rows.append(KeyValue("Unit", symbol(attribute.unit)))
    if text := range_text(attribute):
        rows.append(KeyValue("Range", text))
    rows.append(KeyValue("Required", "yes" if attribute.required else "no"))
    if attribute.enum:
        rows.append(KeyValue("States", "\n".join(f"{number} = {name}" for number, name in attribute.enum.items())))
    if attribute.description:
        rows.append(KeyValue("Description", attribute.description))
    return rows


def _line_of(tag: Tag | None, mapping: Mapping | None, attribute: Attribute) -> Line | None:
    """The transform as a line over the tag's range; over the attribute's where the tag states none. None where it is no line."""
    if tag is None or mapping is None or not mapping.transform:
        return None
    steps = [op for op in mapping.transform if op.__struct_config__.tag not in ("round", "clamp")]
    try:
        affine = affine_of(steps)
    except UserError:
        return None
    if affine is None or affine[0] == 0:
        return None
    gain, offset = affine
    low, high = tag.low, tag.high
    if (low is None or high is None) and attribute.low is not None and attribute.high is not None:
        low, high = sorted(((attribute.low - offset) / gain, (attribute.high - offset) / gain))
    if low is None or high is None:
        return None
    return Line(gain, offset, low, high, symbol(tag.unit), symbol(attribute.unit))

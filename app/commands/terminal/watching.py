"""Watching tags: a line for every sample, for every tag that went stale, for every one that is refused."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import structs

from app.commands.terminal.endpoint import Target
from app.commands.terminal.lines import encoded, sample_line
from app.commands.terminal.out import put_lines
from app.commands.terminal.progress import note
from app.commands.terminal.reading import QUALITY_SEVERITY, shown_time, shown_value
from app.commands.terminal.tables import padded, plain
from app.commands.terminal.tags import Asked, drafts_of
from app.edits import create
from app.edits.tags import TagDraft, add_tags
from app.mapping.transform import symbol
from app.model.columns import SampleColumns
from app.model.ids import make_id
from app.model.plant import Group
from app.model.values import Quality, Sample
from app.runtime.clock import SYSTEM_CLOCK

PUMP_S: Final = 0.05
DEFAULT_INTERVAL_MS: Final = 1000


class Watcher:
    """Prints what comes for the tags that were asked for. ``printed`` counts the lines."""

    def __init__(self, chosen: Target, asked: Asked, namespaces: Sequence[str], interval_ms: int | None, *, as_json: bool) -> None:
        self.printed = 0
        self._chosen, self._live, self._as_json = chosen, chosen.live, as_json
        self._drafts = self._put_in_project(drafts_of(chosen, asked, namespaces), interval_ms)
        self._width = max(len(draft.address) for draft in self._drafts.values())
        self._worst: dict[str, Quality] = {}
        self._stale: set[str] = set()
        self._refused: dict[str, str] = {}
        self._gaps: dict[str, str] = {}
        self._void: dict[str, str] = {}  # status of the last line, where that was bad and without a value
        self._moved: set[str] = set()
        self._lines: list[str] = []
        self._phase = "connected"

    def run(self, for_s: float | None) -> None:
        """Watch until the time is over, or for ever.

        Raises:
            UserError: The connection stopped for good, or another device answers now.
            ReaderGoneError: Nobody reads the output any more.
        """
        self._live.on_samples, self._live.on_gap = self._on_samples, self._on_gap
        self._live.want("command", self._drafts)
        end_s = None if for_s is None else time.monotonic() + for_s
        while end_s is None or time.monotonic() < end_s:
            self._step()
            self._live.idle(PUMP_S if end_s is None else min(PUMP_S, max(0.0, end_s - time.monotonic())))
        self._step()

    def severities(self) -> list[str]:
        """Of each tag: ``error`` where it was bad, was refused, is stale or never came; ``warning`` where it was uncertain."""
        return [self._severity(tag) for tag in self._drafts]

    def _severity(self, tag: str) -> str:
        if tag in self._refused or tag in self._stale or tag not in self._worst:
            return "error"
        return QUALITY_SEVERITY[self._worst[tag]]

    def _step(self) -> None:
        arrived = self._live.pump()
        self._tell_state()
        for tag in sorted(tag for tag in self._drafts if tag in arrived.tags):
            self._look_at(tag)
        lines, self._lines = self._lines, []
        put_lines(lines)
        self.printed += len(lines)
        state = self._live.state(self._chosen.endpoint.id)
        if state.held and state.why is not None:
            raise state.why

    @property
    def _of_then(self) -> bool:
        """Whether what comes is of a snapshot: each value once, and stale from the beginning."""
        return self._live.state(self._chosen.endpoint.id).as_of_ns is not None

    def _on_samples(self, tags: Mapping[int, str], columns: SampleColumns) -> None:
        for handle, sample in columns.samples():
            tag = tags.get(handle)
            if tag in self._drafts:
                self._on_sample(tag, sample)

    def _on_sample(self, tag: str, sample: Sample) -> None:
        self._worst[tag] = max(self._worst.get(tag, Quality.GOOD), sample.quality)
        status = self._chosen.spec.status_text(sample.status)
        empty = sample.quality is Quality.BAD and sample.value is None
        if empty and tag in self._refused:
            return  # the session voids what stood there before; why was said already
        self._void.pop(tag, None)
        if empty:
            self._void[tag] = status
        stale = self._of_then
        (self._stale.add if stale else self._stale.discard)(tag)
        self._refused.pop(tag, None)
        self._add(self._drafts[tag], sample, status, stale=stale, gap=self._gaps.pop(tag, ""))

    def _on_gap(self, tags: Sequence[str], why: str) -> None:
        """Told with the next sample; of several reasons the first, which is where it began."""
        for tag in tags:
            if tag in self._worst:  # before its first sample nothing is missing
                self._gaps.setdefault(tag, why or "samples are missing")

    def _look_at(self, tag: str) -> None:
        """A tag that changed without a sample: it went stale, or is live again, or the device refuses it, or it stands elsewhere now."""
        reading = self._live.reading(tag)
        if reading.cause in ("refused", "identity changed"):
            self._refuse(tag, reading.problem)
        elif reading.sample is None:
            if self._phase == "connected" and reading.problem:
                self._refuse(tag, reading.problem)
        elif reading.stale != (tag in self._stale):
            (self._stale.add if reading.stale else self._stale.discard)(tag)
            status = self._chosen.spec.status_text(reading.sample.status)
            why = (reading.problem or "not refreshed in time") if reading.stale else ""
            self._add(self._drafts[tag], reading.sample, status, stale=reading.stale, why=why)
        if reading.cause == "moved" and tag not in self._moved:
            self._moved.add(tag)
            note(f'{self._drafts[tag].address}: {reading.problem}. "tagloom tags rebind" notes it in the project.')

    def _refuse(self, tag: str, problem: str) -> None:
        """Once for each reason: nothing of it is the tag's until a sample comes."""
        if self._refused.get(tag) == problem:
            return
        self._refused[tag] = problem
        if not (tag in self._void and problem.startswith(self._void[tag])):
            draft = self._drafts[tag]
            nothing = Sample(None, draft.type, Quality.BAD, 0, None, None, SYSTEM_CLOCK.wall_ns())
            self._add(draft, nothing, problem.removesuffix(f": {draft.address}"), why=problem)

    def _tell_state(self) -> None:
        """On stderr, once per change: lost and back."""
        state = self._live.state(self._chosen.endpoint.id)
        before, self._phase = self._phase, state.phase
        if state.phase == before:
            return
        if state.phase == "stopped" and state.why is not None:
            raise state.why
        if before == "connected":
            note(f"Connection to {self._chosen.label} lost{f': {state.why.why}' if state.why else ''}. Trying again …")
        elif state.phase == "connected":
            lasted_s = state.outages[-1].lasted_s if state.outages else None
            note(f"Connected to {self._chosen.label} again{f', after {lasted_s:.1f} s' if lasted_s else ''}.")

    def _add(self, draft: TagDraft, sample: Sample, status: str, *, stale: bool = False, why: str = "", gap: str = "") -> None:
        if self._as_json:
            line = sample_line(self._chosen.label, draft.address, sample, status=status, unit=draft.unit, stale=stale, why=why, gap=gap)
            self._lines.append(encoded(line))
            return
        value = " ".join(filter(None, (shown_value(sample, draft), symbol(draft.unit))))
        marks = ("stale" if stale else "", f"({why})" if stale and why else "", f"(gap before: {gap})" if gap else "")
        told = " ".join(filter(None, (status, *marks)))
        parts = (shown_time(sample), padded(draft.address, self._width), padded(value, 16), told)
        self._lines.append(plain("  ".join(parts)))

    def _put_in_project(self, drafts: Sequence[TagDraft], interval_ms: int | None) -> dict[str, TagDraft]:
        """By tag id: tags of the project as they are, all others added to it in memory, in a group of the interval."""
        project, editor, endpoint = self._chosen.project, self._live.editor, self._chosen.endpoint.id
        found: dict[str, TagDraft] = {}
        rest: list[TagDraft] = []
        for draft in drafts:
            tags = [tag for tag in project.tags_at(endpoint, draft.address) if interval_ms is None and tag.name == draft.name]
            if tags:
                found[tags[0].id] = draft
            else:
                rest.append(draft)
        if rest:
            group = Group(id=make_id("group", "", "watch", taken=project), name="watch", interval_ms=interval_ms or DEFAULT_INTERVAL_MS)
            editor.do(create("Add group", [group]))
            edit = add_tags(project, endpoint, [structs.replace(draft, group=group.id) for draft in rest])
            editor.do(edit)
            found.update((change.id, draft) for change, draft in zip(edit.changes, rest, strict=True))
        return found

"""Reading tags once, and showing samples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from app.commands.terminal.endpoint import Target
from app.commands.terminal.progress import note, working
from app.commands.terminal.tables import put_table, value_text
from app.drivers.base import EndpointReport, Item, Spec
from app.edits.tags import TagDraft
from app.mapping.transform import symbol
from app.model.columns import SampleColumns
from app.model.times import rfc3339
from app.model.values import Quality, Sample

QUALITY_SEVERITY: Final = {Quality.GOOD: "fine", Quality.UNCERTAIN: "warning", Quality.BAD: "error"}

READ_S: Final = 30.0
PER_TAG_S: Final = 0.05
"""Added per tag: a slow serial gateway answers some twenty requests a second."""


def read_once(chosen: Target, drafts: Sequence[TagDraft]) -> list[Sample]:
    """One sample per tag, in order.

    Raises:
        UserError: The endpoint did not answer at all; a tag that cannot be read is a bad sample.
    """
    items = [Item(address=draft.address, gain=draft.gain, offset=draft.offset) for draft in drafts]
    with working(f"Reading {len(items):,} tags …"):
        columns = chosen.live.wait(chosen.live.read(chosen.endpoint.id, items), READ_S + PER_TAG_S * len(items))
    assert isinstance(columns, SampleColumns)
    return [sample for _, sample in columns.samples()]


def put_samples(spec: Spec, rows: Iterable[tuple[TagDraft, Sample]]) -> None:
    """A table: the time is the source's where the protocol has one, else that of the receipt."""
    cells = [
        (
            draft.address,
            shown_value(sample, draft),
            symbol(draft.unit),
            spec.status_text(sample.status),
            shown_time(sample),
        )
        for draft, sample in rows
    ]
    put_table(("id", "value", "unit", "status", "source time" if spec.source_times else "receive time"), cells)


def tell_if_of_then(report: EndpointReport) -> None:
    """On stderr: values of a snapshot are no values of now."""
    if report.as_of_ns is not None:
        note(f"A snapshot: its values are as of {rfc3339(report.as_of_ns // 10**9 * 10**9)}, not of now.")


def shown_time(sample: Sample) -> str:
    """The source's time where there is one, else that of the receipt, to the millisecond."""
    return rfc3339((sample.source_ns or sample.receive_ns) // 1_000_000 * 1_000_000)


def shown_value(sample: Sample, draft: TagDraft) -> str:
    """With the name of the state behind the number, where the tag names its states: ``2 (EXECUTE)``."""
    text = value_text(sample.value, sample.type)
    name = draft.enum.get(text)
    return f"{text} ({name})" if name else text

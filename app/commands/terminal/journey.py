"""The demo: the plant, the example project, and the whole way of the product; with a window, or step by step without one."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Final

from app.check import run as run_checks
from app.commands.terminal.failures import FAILED, FINE, show
from app.commands.terminal.live import live_project
from app.commands.terminal.out import put_lines
from app.commands.terminal.progress import counted, note, working
from app.commands.terminal.window import run_window, take_pictures
from app.drivers.base import BrowseColumns
from app.edits import Editor
from app.errors import UserError
from app.gateways import Options, exporters, write_export
from app.mapping.evaluate import ItValue, compile_mapping
from app.mapping.message import Message, messages
from app.model.columns import SampleColumns
from app.model.itmodel import Asset
from app.model.mapping import Mapping as TagMapping
from app.model.plant import Endpoint, Tag
from app.model.project import Project
from app.model.resolve import attributes
from app.model.values import Quality
from app.plant.process import Plant
from app.projectfile import open_file, save
from app.projectfile.durable import replace_file
from app.projectfile.view import view_path
from app.review.approval import review_state
from app.review.page import render_page
from app.samples.recording import SUFFIX, Recording, export_csv

EXAMPLE: Final = "bottling-line.tagloom"
FOLDER: Final = "tagloom-demo"
ASSET: Final = "Filler1"
"""Whose message is shown."""

CONNECT_S: Final = 20.0
BROWSE_S: Final = 30.0
FIRST_SAMPLES_S: Final = 20.0
WATCH_S: Final = 4.0
PICTURES_S: Final = 120.0
PUMP_S: Final = 0.05


def run_in_window(seed: int) -> int:
    """Until the window is closed. It works on a copy, which is kept where it was changed."""
    folder = Path(tempfile.mkdtemp(prefix="tagloom-demo-"))
    project = _copy_example(folder)
    before = project.read_bytes()
    with _plant(seed) as plant:
        code = run_window(project, _overrides(plant), connect=True)
    if project.read_bytes() == before:
        shutil.rmtree(folder)
    else:
        note(f"What you saved is in {project}")
    return code


def run_headless(seed: int) -> int:
    """Step by step into ``./tagloom-demo``; ``FAILED`` when a step failed, which does not keep the others from being tried."""
    folder = Path(FOLDER)
    folder.mkdir(exist_ok=True)
    with _plant(seed) as plant:
        put_lines([f"Plant: {plant.opcua_url} and {plant.modbus_url}"])
        journey = Journey(folder, _overrides(plant))
        try:
            failed = journey.run()
        finally:
            journey.close()
    if failed:
        put_lines([f"FAILED: {', '.join(failed)}"])
        return FAILED
    put_lines([f"Everything is in {folder.resolve()}"])
    return FINE


class Journey:
    """The steps, in their order. Each says in one line what it did, with counts, or raises ``UserError``."""

    def __init__(self, folder: Path, overrides: tuple[str, ...]) -> None:
        self._folder, self._overrides = folder, overrides
        self._path = _copy_example(folder)
        self._editor = Editor(open_file(self._path).project)
        ids = {endpoint.name: endpoint.id for endpoint in self._project.all(Endpoint).values()}
        reach = {ids[name]: url for name, url in (override.split("=", 1) for override in overrides)}
        self._live = live_project(self._editor, reach=reach)
        self._tags = [tag.id for tag in self._project.all(Tag).values()]

    @property
    def _project(self) -> Project:
        return self._editor.project

    def close(self) -> None:
        self._live.close()

    def run(self) -> list[str]:
        """The steps that failed."""
        failed: list[str] = []
        steps: dict[str, Callable[[], str]] = {
            "Connect": self._connect, "Browse": self._browse, "Watch": self._watch, "Map": self._map, "Save": self._save,
            "Check": self._check, "Export": self._export, "Review": self._review, "Pictures": self._pictures,
        }  # fmt: skip
        for name, step in steps.items():
            try:
                with working(f"{name} …"):
                    said = step()
            except UserError as error:
                show(error)
                failed.append(name)
                continue
            put_lines([f"{name}: {said}"])
        return failed

    def _connect(self) -> str:
        self._live.connect_all()
        reports = [self._live.wait_connected(id_, CONNECT_S) for id_ in self._project.all(Endpoint)]
        return " and ".join(report.title for report in reports)

    def _browse(self) -> str:
        parts = []
        for id_, endpoint in self._project.all(Endpoint).items():
            found = self._live.wait(self._live.crawl(id_, "", 100_000), BROWSE_S)
            assert isinstance(found, BrowseColumns)
            variables = found.node_class.count("variable")
            parts.append(f"{endpoint.name} {len(found):,} nodes" + (f", {variables:,} of them variables" if variables else ""))
            _require(len(found), "Nothing was found by browsing", endpoint.name)
        return "; ".join(parts)

    def _watch(self) -> str:
        """Every tag of the project until each has a value, then a while longer; all of it recorded."""
        count: Counter[Quality] = Counter()

        def on_samples(_: Mapping[int, str], columns: SampleColumns) -> None:
            count.update(map(Quality, columns.quality.tolist()))

        path = self._folder / f"samples{SUFFIX}"
        path.unlink(missing_ok=True)
        recording = Recording.start(path, self._project)
        self._live.recording, self._live.on_samples = recording, on_samples
        try:
            self._live.want("demo", self._tags)
            missing = self._pump_until(lambda: all(self._live.reading(tag).sample for tag in self._tags), FIRST_SAMPLES_S)
            self._pump_until(lambda: False, WATCH_S)
        finally:
            self._live.recording = self._live.on_samples = None
            recording.stop()
        rows = export_csv(path, self._folder / "samples.csv")
        if missing:
            silent = [self._project.all(Tag)[tag].name for tag in self._tags if not self._live.reading(tag).sample]
            raise UserError("Tags without a value", where=", ".join(silent[:5]), why=f"nothing came within {FIRST_SAMPLES_S:g} s")
        qualities = ", ".join(f"{count[quality]:,} {quality.name.lower()}" for quality in Quality)
        return f"{len(self._tags)} tags, {count.total():,} samples ({qualities}); {rows:,} rows in samples.csv"

    def _map(self) -> str:
        values = {
            mapping.id: compile_mapping(self._project, mapping)(self._live.reading(mapping.sources[0]).sample if mapping.sources else None)
            for mapping in self._project.all(TagMapping).values()
        }
        usable = sum(value.value is not None for value in values.values())
        _require(usable, "No attribute has a value", "the mappings")
        states = Counter(review_state(self._project, id_) for id_ in values)
        asset = next(asset for asset in self._project.all(Asset).values() if asset.name == ASSET)
        (message,) = messages(self._project, asset, self._by_path(asset, values))
        reviewed = ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
        return f"{usable} of {len(values)} mapped attributes have an IT value ({reviewed})\n{_shown(message)}"

    def _save(self) -> str:
        fingerprint = save(self._project, self._path, None)
        return f"{self._path.name}, {fingerprint.size:,} bytes"

    def _check(self) -> str:
        return counted(finding.severity for finding in run_checks(self._project))

    def _export(self) -> str:
        parts = []
        for key, exporter in exporters().items():
            rendered = exporter.render(self._project, Options())
            written = write_export(rendered, self._folder / key, overwrite=True)
            parts.append(f"{exporter.title} {len(written)} files, losses: {counted(loss.severity for loss in rendered.losses)}")
        _require(len(parts), "No target was found", "app.gateways")
        return "; ".join(parts)

    def _review(self) -> str:
        page = render_page(self._project, self._path.name)
        path = self._folder / "review.html"
        replace_file(path, page)
        return f"{path.name}, {len(page):,} bytes"

    def _pictures(self) -> str:
        pictures = take_pictures(self._path, self._overrides, self._folder / "pictures", PICTURES_S)
        return f"{len(pictures)} of the window: {', '.join(picture.name for picture in pictures)}"

    def _by_path(self, asset: Asset, values: Mapping[str, ItValue]) -> dict[str, ItValue]:
        return {
            row.path: values[mapping.id]
            for row in attributes(self._project, asset.asset_type)
            for mapping in self._project.mappings_for(asset.id, row.attribute.id, row.within)
        }

    def _pump_until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Pump until it is so; whether it did not come to be in time."""
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            self._live.pump()
            if done():
                return False
            self._live.idle(PUMP_S)
        return True


@contextmanager
def _plant(seed: int) -> Iterator[Plant]:
    plant = Plant(seed=seed)
    with working("Starting the demo plant …"):
        plant.start()
    try:
        yield plant
    finally:
        plant.stop()


def _overrides(plant: Plant) -> tuple[str, ...]:
    """Where the endpoints of the example are reached; in the project they stand with addresses of their own, which stay."""
    return f"filler-opcua={plant.opcua_url}", f"meter-modbus={plant.modbus_url}"


def _copy_example(folder: Path) -> Path:
    """The example project with its sidecar, as new files: those of the package are never written."""
    target = folder / EXAMPLE
    for name in (target.name, view_path(target).name):
        replace_file(folder / name, (files("projects") / name).read_bytes())
    return target


def _shown(message: Message) -> str:
    """Topic and message, one attribute on a line."""
    head = {key: value for key, value in message.payload.items() if key != "values"}
    values = message.payload.get("values")
    assert isinstance(values, dict)
    lines = [f"    {key}: {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join([f"  {message.topic}", f"  {json.dumps(head, ensure_ascii=False)}", *lines])


def _require(count: int, what: str, where: str) -> None:
    if not count:
        raise UserError(what, where=where, why="the count is 0")

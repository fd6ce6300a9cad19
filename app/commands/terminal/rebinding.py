"""Re-binding on the command line: every tag of OPC UA endpoints is looked at; those whose variable went elsewhere follow it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple

from app.commands.terminal.endpoint import name_and_url, named, raise_all
from app.commands.terminal.failures import FINE, FOUND
from app.commands.terminal.lines import encoded
from app.commands.terminal.live import ask_missing, known_secrets, live_project
from app.commands.terminal.out import put_lines
from app.commands.terminal.progress import note, working
from app.commands.terminal.tables import put_table
from app.drivers import spec_for
from app.drivers.base import NodeDetails
from app.edits import Editor
from app.edits.rebinding import Rebinding, rebind
from app.errors import UserError
from app.model.plant import Endpoint, Tag
from app.model.project import Project
from app.projectfile import open_file, save
from app.runtime.live import LiveProject
from app.runtime.rebinding import Candidate, candidates, rebindings
from app.secrets import Secrets

State = Literal["found", "taken", "left", "missing"]
"""``found``: the tag's own variable, by its path. ``taken``: another one, because that was asked for. ``left``: another one stands at its
address, and nothing was done. ``missing``: neither is there."""

ANSWER_S: Final = 30.0
PER_TAG_S: Final = 0.01
_SETTLED: Final = frozenset({"identity changed", "refused", "moved", "bad"})


class Row(NamedTuple):
    """``found``, ``path`` and ``type`` are "" where nothing was found, or could be read."""

    state: State
    endpoint: str
    tag: str
    address: str
    found: str = ""
    path: str = ""
    type: str = ""


def run(path: Path, names: Sequence[str], timeout_s: float, *, accept: bool, dry_run: bool, as_json: bool) -> int:
    """Look, tell, and save unless it is a dry run.

    Raises:
        UserError: The project cannot be read or written, an endpoint cannot be connected, or another device answers there.
    """
    opened = open_file(path)
    editor = Editor(opened.project)
    endpoints, reach = _chosen(editor.project, names)
    secrets = known_secrets()
    live = live_project(editor, reach=reach, secrets=secrets)
    try:
        rows, found = _look(live, secrets, endpoints, timeout_s, accept=accept)
    finally:
        live.close()
    _put(rows, as_json=as_json)
    edit = rebind(editor.project, found)
    if edit.changes and not dry_run:
        editor.do(edit)
        save(editor.project, path, opened.fingerprint)
    _tell(path, rows, len(edit.changes), dry_run=dry_run)
    return FOUND if any(row.state in ("left", "missing") for row in rows) else FINE


def _chosen(project: Project, names: Sequence[str]) -> tuple[list[Endpoint], dict[str, str]]:
    """Endpoints, all of OPC UA without a name, and where they are reached from here."""
    reach: dict[str, str] = {}
    if not names:
        return [one for one in project.all(Endpoint).values() if spec_for(one.addresses["default"]).key == "opcua"], reach
    found: list[Endpoint] = []
    problems: list[UserError] = []
    for text in names:
        try:
            name, url = name_and_url(text) if "=" in text else (text, "")
            found.append(named(project, name, f"--endpoint {text}"))
            if url:
                reach[found[-1].id] = url
        except UserError as error:
            problems.append(error)
    raise_all("Cannot use --endpoint", "the command line", problems)
    return found, reach


def _look(
    live: LiveProject, secrets: Secrets, endpoints: Sequence[Endpoint], timeout_s: float, *, accept: bool
) -> tuple[list[Row], list[Rebinding]]:
    tags = [tag for endpoint in endpoints for tag in live.project.tags_of(endpoint.id)]
    for endpoint in endpoints:
        ask_missing(secrets, endpoint)
        with working(f"Connecting to {live.url_of(endpoint.id)} …"):
            live.connect(endpoint.id)
            live.wait_connected(endpoint.id, timeout_s, first_attempt=True)
    with working(f"Looking at {len(tags):,} tags …"):
        _settle(live, tags)
    strayed = live.strayed()
    chosen = _choose(candidates(live.project, strayed.items()), accept=accept)
    found = _read(live, chosen)
    kinds = {one.tag: one for one in chosen}
    rows = [row for tag in tags if (row := _row(live, tag, kinds.get(tag.id), found.get(tag.id))) is not None]
    return sorted(rows, key=lambda row: (row.endpoint, row.tag)), list(found.values())


def _settle(live: LiveProject, tags: Sequence[Tag]) -> None:
    """Until every tag was granted or refused, or a while is over."""
    live.want("command", [tag.id for tag in tags])
    deadline_s = time.monotonic() + ANSWER_S + PER_TAG_S * len(tags)
    waiting = [tag.id for tag in tags]
    while waiting and time.monotonic() < deadline_s:
        live.idle(0.1)
        live.pump()
        readings = ((tag, live.reading(tag)) for tag in waiting)
        waiting = [tag for tag, one in readings if one.interval_ms is None and one.cause not in _SETTLED]


def _choose(offered: Sequence[Candidate], *, accept: bool) -> list[Candidate]:
    """One for each tag: its own variable where that was found, else, when asked to, what stands at its address."""
    chosen: dict[str, Candidate] = {}
    for one in offered:  # the own variable comes first
        if one.way == "moved" or accept:
            chosen.setdefault(one.tag, one)
    return list(chosen.values())


def _read(live: LiveProject, chosen: Sequence[Candidate]) -> dict[str, Rebinding]:
    """With the fingerprints as they are now; by tag."""
    found: dict[str, Rebinding] = {}
    for endpoint in dict.fromkeys(one.endpoint for one in chosen):
        here = [one for one in chosen if one.endpoint == endpoint]
        result = live.wait(live.details(endpoint, [one.address for one in here]), ANSWER_S + PER_TAG_S * len(here))
        nodes = [node for node in result if isinstance(node, NodeDetails)] if isinstance(result, list) else []
        found.update((one.tag, one) for one in rebindings(here, nodes))
    return found


def _row(live: LiveProject, tag: Tag, chosen: Candidate | None, found: Rebinding | None) -> Row | None:
    """None of a tag that is what and where it was."""
    endpoint = live.project.all(Endpoint)[tag.endpoint].name
    if chosen is not None and found is not None:
        return Row("found" if chosen.way == "moved" else "taken", endpoint, tag.name, tag.address, found.address, found.path, found.type)
    cause = live.reading(tag.id).cause
    if cause in ("identity changed", "moved"):
        return Row("left", endpoint, tag.name, tag.address, chosen.address if chosen is not None else "")
    return Row("missing", endpoint, tag.name, tag.address) if cause == "refused" else None


def _put(rows: Sequence[Row], *, as_json: bool) -> None:
    if as_json:
        put_lines(encoded({name: value or None for name, value in row._asdict().items()}) for row in rows)
    elif rows:
        put_table(Row._fields, rows)


def _tell(path: Path, rows: Sequence[Row], changed: int, *, dry_run: bool) -> None:
    counts = {state: sum(1 for row in rows if row.state == state) for state in ("left", "missing")}
    rest = "".join(f", {count} {state}" for state, count in counts.items() if count)
    if not rows:
        note(f"{path.name}: every tag is what and where it was")
    elif dry_run or not changed:
        note(f"{path.name}: {changed} {'would be' if dry_run else 'were'} re-bound{rest}; nothing was changed")
    else:
        note(f"{path.name}: {changed} re-bound{rest}; saved")

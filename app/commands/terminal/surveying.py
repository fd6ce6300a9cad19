"""``tagloom snapshot``: of which endpoint, into which file, and the loop that takes it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from app.commands.terminal.endpoint import Target, target
from app.commands.terminal.progress import note, working
from app.commands.terminal.tags import ANY_NAMESPACE
from app.drivers.modbus.ranges import parse_ranges
from app.drivers.snapshot.writing import begun_at, named
from app.errors import UserError
from app.model.ids import slug
from app.runtime.survey import Survey
from app.runtime.survey_steps import Progress, Wish

STEP_S: Final = 0.02
SAY_EVERY_S: Final = 10.0
"""Where stderr is no terminal: a line so often, for who follows a log."""
GIVE_UP_S: Final = 60.0
"""Without a connection; what was taken stays."""


@contextmanager
def what_to_survey(source: str, endpoint: str, out: Path | None) -> Iterator[tuple[Target, Path]]:
    """The endpoint, not connected yet, and the file.

    Raises:
        UserError: No such project or endpoint, or no file to write to.
    """
    name, equals, _ = endpoint.partition("=")
    if "://" in source or source.startswith("modbus-rtu:"):
        if endpoint:
            why = "the source is a URL itself"
            raise UserError("--endpoint has no use here", where=endpoint, why=why, fix="Leave one of them out")
        if out is None:
            raise UserError("Nowhere to write", where=source, why="no file is named", fix="Add -o FILE")
        with target(source, None, ()) as chosen:
            yield chosen, out
        return
    if not name:
        raise UserError("Which endpoint", where=source, why="a project may have several", fix="Add --endpoint NAME")
    project = Path(source)
    with target(name.strip(), project, (endpoint,) if equals else ()) as chosen:
        yield chosen, out or project.with_name(f"{project.stem}-{slug(chosen.endpoint.name)}")


def take(chosen: Target, out: Path, *, root: str, ranges: str, per_s: float, timeout_s: float) -> None:
    """Take it, or go on with it, telling how far it is.

    Raises:
        UserError: It cannot be taken, or cannot be gone on with now.
    """
    _check_form(chosen, root, ranges)
    begun_at(named(out))  # before anything is connected
    report = chosen.connect(timeout_s)
    at = chosen.spec.parse_address(root, namespaces=report.namespaces) if root else ""
    survey = Survey(chosen.live, chosen.endpoint.id, Wish(out, root=at, ranges=ranges, per_s=per_s))
    try:
        _run(chosen, survey)
    except KeyboardInterrupt:
        note(f"{survey.path}: not finished; the same command goes on with it")
        raise
    finally:
        survey.cancel()
    progress = survey.progress
    if progress.error is not None:
        raise progress.error
    gone_on = ", gone on with what was there" if survey.resumed else ""
    note(f"{survey.path}: {progress.taken:,} {'registers' if survey.driver == 'modbus' else 'nodes'}{gone_on}")


def _check_form(chosen: Target, root: str, ranges: str) -> None:
    """What can be told to be wrong before anything is connected."""
    is_modbus = chosen.spec.key == "modbus"
    if root and is_modbus:
        raise UserError("--root has no use here", where=root, why="Modbus has no address space", fix="Name registers with --registers")
    if ranges and not is_modbus:
        raise UserError("--registers has no use here", where=ranges, why="the endpoint is no Modbus one", fix="Name a node with --root")
    if root:
        chosen.spec.parse_address(root, namespaces=ANY_NAMESPACE)
    parse_ranges(ranges, 1)


def _run(chosen: Target, survey: Survey) -> None:
    said_s, lost_s = time.monotonic(), None
    with working("Taking the snapshot …") as update:
        while not survey.progress.ended:
            for reply in chosen.live.pump().replies:
                survey.on_reply(reply)
            progress = survey.step()
            now_s = time.monotonic()
            lost_s = None if progress.stage != "waiting" else lost_s or now_s
            if lost_s is not None and now_s - lost_s > GIVE_UP_S:
                fix = "Give the same command again when it is reached: what was taken is kept"
                raise UserError("The snapshot is not finished", where=str(survey.path), why=progress.words, fix=fix)
            update(told(progress))
            if now_s - said_s > SAY_EVERY_S:
                said_s = now_s
                note(told(progress))
            if not progress.ended:
                chosen.live.idle(STEP_S)


def told(progress: Progress) -> str:
    """``1,204 of 3,300 found so far, 98/s, 21 s left or more``."""
    parts = [progress.words or "beginning"]
    if progress.stage == "reading" and progress.per_s:
        parts.append(f"{progress.per_s:,.0f}/s")
    if progress.left_s is not None:
        parts.append(f"{progress.left_s:,.0f} s left")
    return ", ".join(parts)

"""The sidecar ``NAME.view.json``: plots and watch layouts of one project. Never part of an approval, a diff or a merge."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

_LOGGER = logging.getLogger(__name__)


class PlotView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One plot: the tags it draws, in the order of their colours."""

    tags: tuple[str, ...] = ()


class View(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the project was last looked at."""

    plots: tuple[PlotView, ...] = ()
    columns: int = 1
    window_s: float = 60.0


def view_path(project: Path) -> Path:
    return project.with_suffix(".view.json")


def read_view(project: Path) -> View:
    """The sidecar beside a project; the empty view when there is none or it cannot be read: it is worth no question."""
    path = view_path(project)
    try:
        return msgspec.json.decode(path.read_bytes(), type=View)
    except FileNotFoundError:
        return View()
    except (OSError, msgspec.DecodeError, msgspec.ValidationError) as error:
        _LOGGER.warning("%s was not used: %s", path.name, error)
        return View()


def write_view(project: Path, view: View) -> None:
    """Write beside the project; without plots nothing is left lying about."""
    path = view_path(project)
    if view == View():
        path.unlink(missing_ok=True)
        return
    path.write_bytes(msgspec.json.format(msgspec.json.encode(view), indent=1) + b"\n")

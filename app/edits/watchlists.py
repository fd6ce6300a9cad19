"""Edits of watch lists: named selections of tags."""

from __future__ import annotations

from collections.abc import Sequence

from app.edits.edit import Edit, create, replace, with_fields
from app.edits.naming import free_name
from app.edits.removal import remove
from app.model.ids import make_id
from app.model.plant import WatchList
from app.model.project import Project


def add_watch_list(project: Project, name: str, tags: Sequence[str] = ()) -> Edit:
    """Raises ``UserError`` when the name is empty or taken."""
    name = free_name("watch list", name, project.all(WatchList).values())
    id_ = make_id("watchlist", "", name, taken=project)
    return create(f"Add watch list {name}", [WatchList(id=id_, name=name, tags=tuple(dict.fromkeys(tags)))])


def rename_watch_list(project: Project, watch_list: str, name: str) -> Edit:
    held = project.all(WatchList)[watch_list]
    name = free_name("watch list", name, project.all(WatchList).values(), but=watch_list)
    return replace(f"Rename {held.name} to {name}", project, [with_fields(held, name=name)])


def set_watched(project: Project, watch_list: str, tags: Sequence[str]) -> Edit:
    """The tags of a list, in this order; one given twice counts once."""
    held = project.all(WatchList)[watch_list]
    return replace(f"Change watch list {held.name}", project, [with_fields(held, tags=tuple(dict.fromkeys(tags)))])


def add_to_watch_list(project: Project, watch_list: str, tags: Sequence[str]) -> Edit:
    """Append tags; those in the list already stay where they are."""
    return set_watched(project, watch_list, [*project.all(WatchList)[watch_list].tags, *tags])


def remove_from_watch_list(project: Project, watch_list: str, tags: Sequence[str]) -> Edit:
    """The tags stay in the project."""
    held = project.all(WatchList)[watch_list]
    return set_watched(project, watch_list, [tag for tag in held.tags if tag not in set(tags)])


def remove_watch_list(project: Project, watch_list: str) -> Edit:
    return remove(f"Remove watch list {project.all(WatchList)[watch_list].name}", project, [watch_list])

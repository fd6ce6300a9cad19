"""Edits of the header, and how a new project begins."""

from __future__ import annotations

import uuid

from app.edits.edit import Edit, replace, with_fields
from app.model.ids import make_id
from app.model.project import Project, ProjectInfo


def new_project(name: str = "Untitled") -> Project:
    """An empty project.

    Its id is made by chance, unlike all others: two projects of one name are not one project, and what a laptop remembers
    of them (where endpoints are reached, what was browsed) is kept by this id.
    """
    return Project(ProjectInfo(id=make_id("tagloom", "", name, uuid.uuid4().hex), name=name))


def describe_project(project: Project, *, name: str, description: str) -> Edit:
    return replace("Describe project", project, [with_fields(project.info, name=name.strip(), description=description)])

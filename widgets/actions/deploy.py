"""Deploy: hand over files and the review page."""

from __future__ import annotations

from app.model.mapping import Mapping
from widgets.main_window import MainWindow
from widgets.registry import Action
from widgets.workbench import Workbench


def _any_mapping(workbench: Workbench) -> bool:
    return bool(workbench.project.all(Mapping))


def _write(window: MainWindow) -> None:
    """Shows Deploy: what is written is what can be seen there, and it asks once it is rendered."""
    from widgets.deploy_mode import DeployMode

    window.show_mode("deploy")
    mode = window.mode_widget("deploy")
    assert isinstance(mode, DeployMode)
    mode.ask_when_rendered()


def _page(window: MainWindow) -> None:
    from widgets.review_mode import write_page

    write_page(window, window.workbench)


ACTIONS = [
    Action("deploy.write", "Write files…", "Deploy", _write, "Ctrl+D", "export", 10, _any_mapping, keywords="export gateway"),
    Action("deploy.review_page", "Review page…", "Deploy", _page, "", "", 20, keywords="html export"),
]

"""Deploy: the files of a gateway target, what they cannot say of this project, and writing them."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from widgets.registry import Mode
from widgets.workbench import Workbench


def _build(workbench: Workbench) -> QWidget:
    from widgets.deploy_mode import DeployMode

    return DeployMode(workbench)


def _errors(workbench: Workbench) -> int:
    return sum(1 for finding in workbench.findings if finding.severity == "error")


MODE = Mode("deploy", "Deploy", "deploy", 50, _build, _errors, panels=())

"""What import-linter cannot see: what is loaded at run time, and who calls ``swap``."""

import ast
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import app

ROOT = Path(app.__path__[0])
MODULES = sorted(module.name for module in pkgutil.walk_packages(app.__path__, "app.") if not module.name.endswith("__main__"))
SPECS = [name for name in MODULES if name.startswith("app.drivers.") and name.endswith(".spec")]
SAVING = [name for name in MODULES if name.split(".")[1] in ("model", "edits", "projectfile", "errors")]


def loaded_by(modules: list[str]) -> set[str]:
    """Top-level packages that a fresh interpreter has loaded after importing these modules."""
    program = (
        "import sys\n" + "\n".join(f"import {name}" for name in modules) + "\nprint(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_that_importing_all_of_the_core_loads_nothing_of_qt() -> None:
    assert not loaded_by(MODULES) & {"PySide6", "shiboken6", "pyqtgraph", "widgets"}


def test_that_importing_every_driver_specification_loads_no_protocol_library() -> None:
    assert len(SPECS) >= 2
    assert not loaded_by(SPECS) & {"asyncua", "pymodbus", "PySide6"}


def test_that_reading_and_saving_a_project_needs_neither_protocols_nor_databases() -> None:
    modules = [name for name in SAVING if name != "app.model.columns"]
    assert not loaded_by(modules) & {"asyncua", "pymodbus", "PySide6", "numpy", "sqlite_utils", "pandas"}


def test_that_only_edits_and_the_project_file_swap_elements() -> None:
    callers = {
        path.relative_to(ROOT.parent).as_posix()
        for folder in (ROOT, ROOT.parent / "widgets")
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "swap"
    }
    assert callers
    assert all(caller.startswith(("app/edits/", "app/projectfile/")) for caller in callers), callers


@pytest.mark.parametrize("folder", ["app", "widgets"])
def test_that_nothing_prints_or_runs_data_as_code(folder: str) -> None:
    """The linter bans them too; a per-file exception would slip past it."""
    banned = {"print", "eval", "exec"}
    for path in (ROOT.parent / folder).rglob("*.py"):
        called = {
            node.func.id
            for node in ast.walk(ast.parse(path.read_bytes()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not called & banned, path

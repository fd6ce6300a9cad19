import os
from pathlib import Path

import hypothesis
import pytest

pytest_plugins = ["tests.guards", "pytester"]

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # for a pytest that was not started by run.py

# A shared machine may be slow at any one example; the time limit of the whole test still holds.
hypothesis.settings.register_profile("tagloom", deadline=None, print_blob=True)
hypothesis.settings.load_profile("tagloom")


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings, workspace, cache and logs of every test stand under its `tmp_path`, also those of its child processes."""
    for kind in ("config", "data", "cache", "log"):
        monkeypatch.setenv(f"TAGLOOM_{kind.upper()}_DIR", str(tmp_path / "tagloom" / kind))
    return tmp_path / "tagloom"

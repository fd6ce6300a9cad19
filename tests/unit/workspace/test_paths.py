from pathlib import Path

import pytest

from app.workspace import paths


def test_that_the_environment_stands_before_the_systems_folders(monkeypatch: pytest.MonkeyPatch, own_folders: Path) -> None:
    assert paths.config_dir() == own_folders / "config"
    assert paths.journal_dir() == own_folders / "data" / "journal"
    for kind in ("CONFIG", "DATA", "CACHE", "LOG"):
        monkeypatch.setenv(f"TAGLOOM_{kind}_DIR", "")
    for folder in (paths.config_dir(), paths.data_dir(), paths.cache_dir(), paths.log_dir()):
        assert "tagloom" in str(folder).lower()
        assert folder.is_absolute()

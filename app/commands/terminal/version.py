"""The version of this Tagloom."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from pathlib import Path


def version() -> str:
    """As it was installed, or as the checkout's ``pyproject.toml`` says."""
    try:
        return installed_version("tagloom")
    except PackageNotFoundError:
        import tomllib

        with (Path(__file__).resolve().parents[3] / "pyproject.toml").open("rb") as file:
            found: str = tomllib.load(file)["project"]["version"]
        return found

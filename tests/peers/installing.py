"""Puts foreign programs on the machine for a proof: npm packages, Python packages, Debian packages, a compiled C file.

Each is installed once, into a folder of the system's temporary one whose name holds a digest of what was asked for. Where it cannot
be had the test is skipped, and `run.py prove` says so.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest


def npm_packages(package: Path) -> Path:
    """The ``node_modules`` of a ``package.json``."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("node and npm are not installed")
    folder = _folder(package.parent.name, package.read_bytes())
    if not (folder / "complete").exists():
        folder.mkdir(exist_ok=True)
        (folder / "package.json").write_bytes(package.read_bytes())
        _run([npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--omit=optional"], folder)
        (folder / "complete").touch()
    return folder / "node_modules"


def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is not installed")
    return found


def python_packages(requirements: Path) -> Path:
    """The interpreter of a virtual environment with exactly these packages."""
    folder = _folder(requirements.parent.name, requirements.read_bytes())
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (folder / "complete").exists():
        uv = [sys.executable, "-m", "uv"]
        _run([*uv, "venv", "--clear", "--python", sys.executable, str(folder)], folder.parent)
        _run([*uv, "pip", "install", "--python", str(python), "-r", str(requirements)], folder.parent)
        (folder / "complete").touch()
    return python


def debian_package(file: str, *packages: str) -> str:
    """Path of a program, or of a file under ``/usr``, from Debian; installed first where that is possible (root)."""
    found = _found(file)
    if found is None and hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", *packages], check=False, capture_output=True, timeout=300)
        found = _found(file)
    if found is None:
        pytest.skip(f"{file} is not installed and cannot be: apt-get install {' '.join(packages)}")
    return found


def compiled(source: Path, flags: Sequence[str]) -> Path:
    """A C file as a program."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler is installed")
    folder = _folder(source.parent.name, source.read_bytes() + " ".join(flags).encode())
    program = folder / source.stem
    if not program.exists():
        folder.mkdir(exist_ok=True)
        _run([compiler, "-O1", "-Wall", "-Werror", str(source), "-o", str(program), *flags], folder)
    return program


def _found(file: str) -> str | None:
    if file.startswith("/"):
        return file if Path(file).exists() else None
    return shutil.which(file)


def _folder(name: str, content: bytes) -> Path:
    return Path(tempfile.gettempdir()) / f"tagloom-proof-{name.replace('_', '-')}-{hashlib.sha256(content).hexdigest()[:12]}"


def _run(command: Sequence[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=900, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace")[-2000:]

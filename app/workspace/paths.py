"""Folders of this person on this computer. None of them need exist; who writes makes them.

``TAGLOOM_CONFIG_DIR``, ``TAGLOOM_DATA_DIR``, ``TAGLOOM_CACHE_DIR`` and ``TAGLOOM_LOG_DIR`` stand before the system's own.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

_NAME = "tagloom"


def config_dir() -> Path:
    """Settings."""
    return _chosen("CONFIG") or platformdirs.user_config_path(_NAME, appauthor=False)


def data_dir() -> Path:
    """The workspace database and the journals: what should not be lost, though no project depends on it."""
    return _chosen("DATA") or platformdirs.user_data_path(_NAME, appauthor=False)


def cache_dir() -> Path:
    """What can be had again."""
    return _chosen("CACHE") or platformdirs.user_cache_path(_NAME, appauthor=False)


def log_dir() -> Path:
    return _chosen("LOG") or platformdirs.user_log_path(_NAME, appauthor=False)


def journal_dir() -> Path:
    """Edits since the last save, for ``app.edits.journal``."""
    return data_dir() / "journal"


def pki_dir() -> Path:
    """The certificate store, for ``app.trust.store``: our key is in it."""
    return data_dir() / "pki"


def _chosen(kind: str) -> Path | None:
    text = os.environ.get(f"TAGLOOM_{kind}_DIR", "")
    return Path(text) if text else None

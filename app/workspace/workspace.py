"""Settings and memory of this person on this computer, as the window and the commands use them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from app.workspace.database import Database, KnownNode
from app.workspace.node_cache import Found, NodeCache
from app.workspace.node_process import NodeProcess, Row
from app.workspace.settings import Settings, SettingValue

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")
SETTLE_S: Final = 0.05
"""So long a question for one node waits for what is being written."""


class Workspace:
    """One per process, used by one thread. Nothing is read before it is needed; nodes are written and searched in another thread."""

    def __init__(self, settings: Settings | None = None, database: Database | None = None) -> None:
        self.settings = settings or Settings()
        self.database = database or Database()
        path = self.database.path
        elsewhere = None if getattr(sys, "frozen", False) else lambda: NodeProcess(path)  # a frozen build has no such entry
        self.nodes = NodeCache(lambda: Database(path), elsewhere)

    def close(self) -> None:
        """At the end: forget nodes that were seen long ago, and close the files. Safe twice."""
        if self.database.is_open:
            self.nodes.forget_old(int(self.setting("browse_cache_days")))
        self.nodes.close()
        self.database.close()

    # Settings and state

    def setting(self, name: str) -> SettingValue:
        return self.settings.get(name)

    def set_setting(self, name: str, value: SettingValue) -> None:
        """Raises ``UserError``."""
        self.settings.set(name, value)

    def state(self, name: str) -> str:
        """What ``set_state`` kept under a name: layouts, window geometry; "" without any."""
        return self.database.state(name)

    def set_state(self, name: str, text: str) -> None:
        self.database.set_state(name, text)

    # Files

    def remember_project(self, path: Path, name: str) -> None:
        self.database.remember_project(path, name)

    def recent_projects(self) -> list[tuple[Path, str]]:
        """Path and name, newest first; the files may be gone."""
        return self.database.recent_projects(int(self.setting("recent_projects")))

    def last_folder(self) -> Path:
        """Where the last file was opened or saved; the home folder at first, and when that one is gone."""
        kept = self.state("last_folder")
        return Path(kept) if kept and Path(kept).is_dir() else Path.home()

    def set_last_folder(self, folder: Path) -> None:
        self.set_state("last_folder", str(folder.absolute()))

    # Endpoints

    def reach(self, project: str) -> dict[str, str]:
        """Endpoint id → URL where this computer reaches it, for a project (by its header's id)."""
        return self.database.reach(project)

    def set_reach(self, project: str, endpoint: str, url: str | None) -> None:
        self.database.set_reach(project, endpoint, url)

    def remember_nodes(self, endpoint_key: str, nodes: Sequence[T], row_of: Callable[[T], Row] = tuple) -> None:  # type: ignore[assignment]  # rows themselves are their own rows
        """Keep browsed nodes: id, name, path, node class, type. Returns at once; ``row_of`` is called in another thread."""
        self.nodes.remember(endpoint_key, nodes, row_of)

    def search_nodes(self, endpoint_keys: Sequence[str], text: str, limit: int) -> Future[Found]:
        """Nodes in whose name, path or id every word stands. Answers later; whoever asks polls the future."""
        return self.nodes.search(endpoint_keys, text, limit)

    def known_node(self, endpoint_key: str, id_: str) -> KnownNode | None:
        self.nodes.settle(SETTLE_S)
        return self.database.known(endpoint_key, id_)

    def count_nodes(self, endpoint_key: str) -> int:
        self.nodes.settle(SETTLE_S)
        return self.database.count(endpoint_key)

    def forget_node(self, endpoint_key: str, id_: str) -> None:
        self.nodes.forget(endpoint_key, id_)

"""Finding what moves, step by step: what is looked at, learning what always moves, the window in which a person acts, the ranking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from PySide6.QtCore import QObject, Signal

from app.drivers.base import BrowseColumns, NodeDetails
from app.errors import UserError
from app.runtime.clock import SYSTEM_CLOCK
from app.runtime.live import LiveProject
from app.runtime.movement import Moved, Movement, Observed
from app.runtime.observing import OBSERVED_ITEMS
from app.runtime.state import Reply
from widgets.workbench import Workbench

LEARN_S: Final = 5.0
"""So long what moves by itself should be seen doing so; acting sooner is allowed, and said."""
CRAWLED_NODES: Final = 100_000
"""Nodes looked at for their variables: objects, folders and properties count too."""
INTERVAL_MS: Final = 500

Phase = Literal["idle", "gathering", "learning", "acting", "acted"]


class Moving(QObject):
    """One observation at a time. Twice a second it looks at what has come.

    Attributes:
        endpoint: Whose items are looked at, or were.
        ranking: Of the last window; it stays when the observation ends.
        paths: Address → browse path, where there is one.
        trouble: Why nothing is watched (any more), "" when that is as the person wanted it.

    Signals:
        changed: Anything of it is new.
    """

    changed = Signal()

    def __init__(self, workbench: Workbench, parent: QObject) -> None:
        super().__init__(parent)
        self._workbench = workbench
        self.phase: Phase = "idle"
        self.endpoint = self.name = self.trouble = ""
        self.paths: dict[str, str] = {}
        self.ranking: list[Moved] = []
        self._items: dict[str, Observed] = {}
        self._silent = 0
        self._cut = False
        self._request: int | None = None
        self._observed: tuple[LiveProject, int, Movement] | None = None
        self._acting_since_s = self._acted_s = self._learned_s = 0.0
        workbench.staleness_ticked.connect(self._on_tick)
        workbench.project_replaced.connect(self._on_replaced)

    @property
    def is_watching(self) -> bool:
        """Whether the device is asked for anything."""
        return self.phase != "idle"

    @property
    def can_act(self) -> bool:
        """Whether there is something to compare with: a first value has come, and reading is not paused."""
        return self._observed is not None and self._observed[2].known > 0 and not self._workbench.live.paused

    # What is looked at

    def watch_nodes(self, endpoint: str, ids: Sequence[str], name: str) -> None:
        """Every variable among these nodes and below them; without ids, below Objects."""
        self._begin(endpoint, name)
        if ids:
            token = self._workbench.live.details(endpoint, list(ids))
            self._request = self._workbench.ask(token, self._on_details)
        else:
            self._crawl([""])

    def watch_registers(self, endpoint: str, unit: int, table: str, first: int, last: int) -> None:
        """Registers (or bits) of one table; both ends belong to it."""
        self._begin(endpoint, f"unit {unit}, {table} {first} to {last}")
        places = range(first, last + 1)
        from app.drivers.modbus.scan_edits import word_addresses

        addresses = word_addresses(self._workbench.project, endpoint, unit, table, places)
        self._items = {address: Observed(address, f"{table} {place}") for place, address in zip(places, addresses, strict=True)}
        self._observe()

    def _begin(self, endpoint: str, name: str) -> None:
        self.end()
        self.endpoint, self.name = endpoint, name
        self.paths, self.ranking, self._items, self._cut = {}, [], {}, False
        self.phase = "gathering"
        self.changed.emit()

    def _on_details(self, reply: Reply) -> None:
        self._request = None
        if isinstance(reply.result, UserError):
            self._give_up(f"{reply.result.what}: {reply.result.why}")
            return
        assert isinstance(reply.result, list)
        nodes: list[NodeDetails] = reply.result
        for node in nodes:
            if node.node_class == "variable" and not node.error:
                self._take(node.id, node.name, node.path)
        below = [node.id for node in nodes if not node.error]
        if not below and nodes:
            self._give_up(nodes[0].error)
            return
        self._crawl(below)

    def _crawl(self, rest: list[str]) -> None:
        if not rest or self._cut:
            self._observe()
            return
        token = self._workbench.live.crawl(self.endpoint, rest[0], CRAWLED_NODES)
        self._request = self._workbench.ask(token, lambda reply: self._on_rows(reply, rest))

    def _on_rows(self, reply: Reply, rest: list[str]) -> None:
        if isinstance(reply.result, UserError):
            self._request = None
            self._give_up(f"{reply.result.what}: {reply.result.why}")
            return
        assert isinstance(reply.result, BrowseColumns)
        columns = reply.result
        for row in range(len(columns)):
            if columns.is_data(row):
                self._take(columns.id[row], columns.name[row], columns.path[row])
        if self._cut and self._request is not None:
            self._workbench.forget(self._request)
        if reply.done or self._cut:
            self._request = None
            self._crawl(rest[1:])
        else:
            self.changed.emit()

    def _take(self, id_: str, name: str, path: str) -> None:
        if id_ not in self._items and len(self._items) >= OBSERVED_ITEMS:
            self._cut = True
            return
        self._items.setdefault(id_, Observed(id_, name))
        self.paths.setdefault(id_, path)

    def _observe(self) -> None:
        live = self._workbench.live
        if not self._items:
            self._give_up(f"no variable is below {self.name}. Choose another part.")
            return
        try:
            token = live.observe(self.endpoint, list(self._items.values()), INTERVAL_MS)
        except UserError as error:
            self._give_up(f"{error.what}: {error.why}" + (f". {error.fix}" if error.fix else ""))
            return
        self._observed = live, token, live.movement(token)
        self.phase = "learning"
        self.changed.emit()

    # The window

    def begin_acting(self) -> None:
        """The person acts on the machine from now on; also for another try."""
        if self._observed is None or not self.can_act:
            return
        now_s = SYSTEM_CLOCK.monotonic_s()
        movement = self._observed[2]
        self._learned_s = movement.before_s(now_s) if self.phase == "learning" else self._learned_s
        movement.mark_start(now_s)
        self._acting_since_s, self.ranking, self.phase = now_s, [], "acting"
        self.changed.emit()

    def end_acting(self) -> None:
        """What came until now, and what is still on its way, is ranked."""
        if self._observed is None or self.phase != "acting":
            return
        now_s = SYSTEM_CLOCK.monotonic_s()
        self._observed[2].mark_stop(now_s)
        self._acted_s, self.phase = now_s - self._acting_since_s, "acted"
        self._look()

    def end(self, why: str = "") -> None:
        """Ask the device for nothing any more; the ranking stays. ``why`` is said where the person did not do it."""
        if self._request is not None:
            self._workbench.forget(self._request)
            self._request = None
        if self._observed is not None:
            live, token, movement = self._observed
            if self.phase == "acting":
                self._acted_s = SYSTEM_CLOCK.monotonic_s() - self._acting_since_s
                movement.mark_stop(SYSTEM_CLOCK.monotonic_s())
            self.ranking = movement.ranking() or self.ranking
            live.unobserve(token)
            self._observed = None
        self.trouble, self.phase = why, "idle"
        self.changed.emit()

    def _give_up(self, why: str) -> None:
        self.end(why[:1].upper() + why[1:])

    def _on_replaced(self) -> None:
        """The connections of the other project are closed, and this observation with them."""
        self._observed = self._request = None
        self.endpoint = self.name = ""
        self.ranking, self.paths, self._items = [], {}, {}
        self.end()

    def _on_tick(self) -> None:
        if self._observed is not None:
            self._look()
        elif self.phase == "gathering":
            self.changed.emit()

    def _look(self) -> None:
        assert self._observed is not None
        movement = self._observed[2]
        self._silent = len(movement.items) - movement.known
        if self.phase in ("acting", "acted"):
            self.ranking = movement.ranking()
        if movement.ended:
            self._give_up(f"watching has ended: {movement.ended}")
        else:
            self.changed.emit()

    # In words

    def words(self) -> str:
        """What is going on, with counts, and what to do next; "" before anything."""
        if self.phase == "gathering":
            return f"Looking for variables below {self.name}: {len(self._items):,} found…"
        if self._observed is None:
            return " ".join(filter(None, (self.trouble.rstrip(".") + "." if self.trouble else "", self._earlier())))
        if self._workbench.live.paused:
            return "Reading is paused, so nothing is seen. Go on with Endpoint ▸ Pause all reading."
        movement = self._observed[2]
        if self.phase == "learning":
            return self._learning(movement)
        if self.phase == "acting":
            return f"Act on the machine now, then press Stop. {_so_far(self.ranking)}."
        result = self._result()
        return f"{result[:1].upper()}{result[1:]} Start again for another try."

    def warning(self) -> str:
        """What a person has to know of what is *not* looked at."""
        parts = []
        if self._cut:
            parts.append(f"{self.name} has more than {OBSERVED_ITEMS:,} variables: only the first {OBSERVED_ITEMS:,} are watched")
        if self._observed is not None and (refused := self._observed[2].refused):
            parts.append(f"{len(refused):,} refused: {next(iter(refused.values()))}")
        if self.phase in ("acting", "acted") and self._learned_s < LEARN_S:
            parts.append(f"only {self._learned_s:.0f} s were learned before")
        return " · ".join(parts)

    def _learning(self, movement: Movement) -> str:
        count, known = len(movement.items), movement.known
        learned_s = movement.before_s(SYSTEM_CLOCK.monotonic_s())
        answered = f"{known:,} of {count:,} have a value"
        if not known:
            return f"Waiting for the first values of {_items(count)}…"
        if learned_s < LEARN_S:
            return f"Learning what always moves: {learned_s:.0f} of {LEARN_S:.0f} s. Leave the machine alone. {answered}."
        return f"Learned for {learned_s:.0f} s: {movement.restless:,} of {_items(count)} move by themselves ({answered}). Now press Start."

    def _earlier(self) -> str:
        """Of what is not watched any more, with whose it is: another part may be chosen meanwhile."""
        held = self._workbench.endpoint(self.endpoint)
        return f"{held.name}, {self.name}: {self._result()}" if self.ranking and held is not None else ""

    def _result(self) -> str:
        count = len(self._items)
        if not self.ranking:
            return f"in {self._acted_s:.0f} s nothing changed of {_items(count - self._silent)}: was it another part of the machine?"
        always = sum(moved.always for moved in self.ranking)
        told = len(self.ranking) - always
        left = count - self._silent - len(self.ranking)
        parts = [f"{told:,} of {_items(count)} changed when you acted"]
        parts += [f"{always:,} always {'does' if always == 1 else 'do'}"] if always else []
        parts += [f"{left:,} did not and {'is' if left == 1 else 'are'} left out"] if left > 0 else []
        parts += [f"{self._silent:,} gave no value"] if self._silent else []
        return f"in {self._acted_s:.0f} s {', '.join(parts)}."


def _items(count: int) -> str:
    return f"{count:,} item{'' if count == 1 else 's'}"


def _so_far(ranking: Sequence[Moved]) -> str:
    always = sum(moved.always for moved in ranking)
    return f"{_items(len(ranking) - always)} changed" + (f", {always:,} always {'does' if always == 1 else 'do'}" if always else "")

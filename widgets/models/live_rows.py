"""Which cells of a table are painted anew as values come: those of visible rows that show something else than before.

When every tag changes ten times a second, a frame in which all rows are painted is a late one, so they are looked at in turns, none more
often than a person can read it. A row whose cells would look as they do is not painted: an idle table costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import monotonic, perf_counter
from typing import Final

from PySide6.QtCore import QObject, Qt, QTimer

TURN_MS: Final = 10
TURN_S: Final = 0.001
"""After so long, the rows that are left wait for the next turn."""
ROWS_AT_ONCE: Final = 2
"""Painted in one turn; each takes about half a millisecond."""
ROUND_S: Final = 0.25
"""So often a row is looked at, at the most."""

Cells = tuple[object, ...]
"""All that the live columns of a row show, one entry a column; equal where they look the same."""


class LiveRows(QObject):
    """What the visible rows show, by row.

    Args:
        parent: The model.
        look: What a row should show now; None where there is no such row.
        repaint: Row and its entries that are not shown yet, as positions in ``Cells``, ascending.
    """

    def __init__(self, parent: QObject, look: Callable[[int], Cells | None], repaint: Callable[[int, list[int]], object]) -> None:
        super().__init__(parent)
        self._look, self._repaint = look, repaint
        self.first, self.last = 0, -1
        self._shown: dict[int, Cells] = {}
        self._changed: set[int] = set()
        self._round: list[int] = []
        self._round_s = 0.0
        self._turns = QTimer(self, interval=TURN_MS, timerType=Qt.TimerType.PreciseTimer)
        self._turns.timeout.connect(self._on_turn)

    @property
    def busy(self) -> bool:
        """Whether rows wait to be looked at."""
        return self._turns.isActive()

    def set_visible(self, first: int, last: int) -> None:
        if (first, last) != (self.first, self.last):
            self.first, self.last = first, last
            self._shown = {row: cells for row, cells in self._shown.items() if first <= row <= last}

    def cells(self, row: int) -> Cells | None:
        """What a row shows, until it is looked at again; of one that is not visible, what it would show."""
        if not self.first <= row <= self.last:
            return self._look(row)
        cells = self._shown.get(row)
        if cells is None and (cells := self._look(row)) is not None:
            self._shown[row] = cells
        return cells

    def forget(self) -> None:
        """The rows are others now, or look otherwise: all of them are asked for again, by who repaints them anyway."""
        self._shown.clear()

    def look_at(self, rows: Iterable[int]) -> None:
        """These may show something else now."""
        self._changed.update(rows)
        if self._changed and not self._turns.isActive():
            self._turns.start()
            self._on_turn()

    def look_at_visible(self) -> None:
        self.look_at(range(self.first, self.last + 1))

    def _on_turn(self) -> None:
        """Look at the next rows of a round; begin another when it is time for one, and there is something to look at."""
        if not self._round:
            now_s = monotonic()
            if not self._changed:
                self._turns.stop()
                return
            if now_s - self._round_s < ROUND_S:
                return
            self._round = sorted((row for row in self._changed if self.first <= row <= self.last), reverse=True)
            self._round_s = now_s
            self._changed.clear()
        end_s, painted = perf_counter() + TURN_S, 0
        while self._round and painted < ROWS_AT_ONCE and perf_counter() < end_s:
            painted += self._renew(self._round.pop())

    def _renew(self, row: int) -> bool:
        """Whether it is painted anew."""
        cells = self._look(row)
        if cells is None:
            return False
        before = self._shown.get(row)
        if before == cells:
            return False
        self._shown[row] = cells
        self._repaint(row, [place for place, cell in enumerate(cells) if before is None or before[place] != cell])
        return True

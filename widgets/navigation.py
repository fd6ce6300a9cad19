"""Going to a node: the way there is asked of the server, the tree is read along it, and the way back is kept.

Nothing blocks: each step waits for the tree's own reading, so that a node that was never expanded is reached as a person would reach it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal

from app.drivers import spec_for
from app.drivers.modbus.way import way_to
from app.drivers.opcua.questions import Place, Places, Resolve
from app.errors import UserError
from app.runtime.state import Reply
from widgets.models.address_space import AddressSpaceModel, TreeNode
from widgets.visited import Visit, Visited
from widgets.workbench import Workbench

OnEnd = Callable[[UserError | None], None]
_FIX = "Refresh the address space (F5), or search for it by name"


class Navigator(QObject):
    """One walk at a time; a new one ends the one before.

    Signals:
        arrived: TreeNode that was gone to; every row above it is read.
        shown: (endpoint id, node id) of a node that exists but has no place in the tree.
        moved: Back and forward lead elsewhere now.
    """

    arrived = Signal(object)
    shown = Signal(str, str)
    moved = Signal()

    def __init__(self, workbench: Workbench, model: AddressSpaceModel, parent: QObject) -> None:
        super().__init__(parent)
        self._workbench, self._model = workbench, model
        self.visited = Visited()
        self._token: int | None = None
        self._walk: _Walk | None = None
        model.answered.connect(self._on_answered)
        model.modelReset.connect(self._on_reset)
        workbench.selection_changed.connect(self._on_selection_changed)

    # Going somewhere

    def go(self, endpoint: str, text: str, on_end: OnEnd | None = None) -> None:
        """Go to a node by its id or a path. ``on_end`` gets None on arrival, else why not; without it the window shows that."""
        self.stop()
        end = on_end or self._show
        node = self._model.find(endpoint, text) if text else self._model.endpoint_node(endpoint)
        if node is not None:
            self.arrived.emit(node)
            end(None)
            return
        try:
            driver, url = self._driver(endpoint)
            if driver == "modbus":
                self._go_to_register(endpoint, text, url, end)
                return
        except UserError as error:
            end(error)
            return
        if self._workbench.live.state(endpoint).phase != "connected":
            end(self._refusal(endpoint, text, "the endpoint is not connected", "Connect, then go there"))
            return
        token = self._workbench.live.ask(endpoint, Resolve(texts=(text,)))
        self._token = self._workbench.ask(token, lambda reply: self._on_place(reply, endpoint, text, end))

    def _driver(self, endpoint: str) -> tuple[str, str]:
        url = self._workbench.live.spoken_url(endpoint)
        return spec_for(url).key, url

    def _go_to_register(self, endpoint: str, text: str, url: str, end: OnEnd) -> None:
        """The tree ends at the tables; the registers of one are shown beside it."""
        way, first = way_to(text, url)
        if first is not None:
            self._workbench.registers_asked.emit(endpoint, f"{way[-1]}:{first}")
        self._begin(endpoint, text, way, end)

    def _on_place(self, reply: Reply, endpoint: str, text: str, end: OnEnd) -> None:
        self._token = None
        result = reply.result
        if isinstance(result, UserError):
            end(result)
            return
        place = result.places[0] if isinstance(result, Places) and result.places else Place(asked=text, error="the answer was empty")
        if place.gone:
            self._workbench.workspace.forget_node(self._workbench.cache_key(endpoint), text)
        if place.error:
            end(self._refusal(endpoint, text, place.error))
        elif not place.way:
            self.shown.emit(endpoint, place.id)
            self._workbench.said.emit(f"{place.name}: the server does not say where it stands, so the tree cannot show it")
            end(None)
        else:
            self._begin(endpoint, text, [step.id for step in place.way], end)

    def _begin(self, endpoint: str, text: str, way: Sequence[str], end: OnEnd) -> None:
        top = self._model.endpoint_node(endpoint)
        if top is None:
            end(self._refusal(endpoint, text, "the endpoint is no longer in the project"))
            return
        self._walk = _Walk(endpoint, text, list(way), top, end)
        self._step()

    def _step(self) -> None:
        """Down as far as the tree is read; then wait for the children of the last one."""
        walk = self._walk
        while walk is not None:
            if not walk.left:
                self._walk = None
                self.arrived.emit(walk.here)
                walk.end(None)
                return
            below = self._model.child(walk.here, walk.left[0])
            if below is not None:
                walk.here, walk.left, walk.reread = below, walk.left[1:], False
                continue
            if not self._read(walk):
                self._walk = None
                why = walk.here.error or f"it is not among what is below {walk.here.name} now"
                walk.end(self._refusal(walk.endpoint, walk.text, why))
            return

    def _read(self, walk: _Walk) -> bool:
        """Have the children of a row read, once more where they were read long ago; False when that would be in vain."""
        node = walk.here
        if node.token is not None:
            return True
        if node.state == "unread" and node.expandable:
            self._model.fetchMore(self._model.index_of(node))
        elif not walk.reread:
            walk.reread = True
            self._model.refresh(self._model.index_of(node))
        return node.token is not None

    def _on_answered(self, node: TreeNode) -> None:
        walk = self._walk
        if walk is not None and walk.here is node:
            if self._model.child(node, walk.left[0]) is None:
                walk.reread = True  # it was read just now
            self._step()

    def _refusal(self, endpoint: str, text: str, why: str, fix: str = _FIX) -> UserError:
        held = self._workbench.endpoint(endpoint)
        return UserError("Cannot go there", where=f"{text} at {held.name if held else endpoint}", why=why, fix=fix)

    def _show(self, error: UserError | None) -> None:
        if error is not None:
            self._workbench.failed.emit(error)

    def stop(self) -> None:
        """End the walk under way, without a word."""
        self._walk = None
        if self._token is not None:
            self._workbench.forget(self._token)
            self._token = None

    # Back and forward

    def back(self) -> None:
        self._travel(self.visited.back())

    def forward(self) -> None:
        self._travel(self.visited.forward())

    def _travel(self, visit: Visit | None) -> None:
        self.moved.emit()
        if visit is not None and self._workbench.endpoint(visit.endpoint) is not None:
            self.go(visit.endpoint, visit.node)

    def _on_selection_changed(self) -> None:
        selection = self._workbench.selection
        if selection.kind == "node" and len(selection.ids) == 1:
            self.visited.note(Visit(selection.endpoint, selection.ids[0]))
        elif selection.kind == "endpoint" and selection.ids:
            self.visited.note(Visit(selection.ids[0], ""))
        self.moved.emit()

    def _on_reset(self) -> None:
        self.stop()
        self.visited.clear()
        self.moved.emit()


class _Walk:
    """Under way down the tree: ``here`` was reached, ``left`` are the ids still before us, ``reread`` once in vain."""

    def __init__(self, endpoint: str, text: str, left: list[str], here: TreeNode, end: OnEnd) -> None:
        self.endpoint, self.text, self.left, self.here, self.end = endpoint, text, left, here, end
        self.reread = False

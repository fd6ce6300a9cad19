"""What answered, as cards: each way to connect with its reason, best first and chosen; what is deprecated is folded away."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QRadioButton, QVBoxLayout, QWidget

from app.drivers.base import OfferedEndpoint
from app.drivers.probe_questions import ProbeStep
from app.drivers.probe_target import is_legacy, usable_offers
from widgets.look import Badge, BadgeLabel, Card, button, label

_TITLES = {"opcua": "OPC UA", "modbus": "Modbus", "modbus-tls": "Modbus over TLS"}
_MODBUS = "Modbus has no protection: everybody on the network can read and change what is sent."
_MODES = {"Sign": "signed", "SignAndEncrypt": "signed and encrypted"}


@dataclass(frozen=True, slots=True)
class Way:
    """One way to connect. ``offer`` is None where the protocol has one way only."""

    step: ProbeStep
    offer: OfferedEndpoint | None = None

    @property
    def certificate(self) -> bytes:
        return self.offer.certificate if self.offer is not None and self.offer.mode != "None" else self.step.certificate


class Answers(QWidget):
    """Cards in the order in which devices answered; one way is chosen as soon as there is one.

    Signals:
        chosen: ``way`` is another one.
    """

    chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._group = QButtonGroup(self)
        self._ways: list[Way] = []
        self._cards: list[Card] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(8)
        self._group.idClicked.connect(lambda _: self.chosen.emit())

    @property
    def ways(self) -> tuple[Way, ...]:
        return tuple(self._ways)

    @property
    def way(self) -> Way | None:
        number = self._group.checkedId()
        return self._ways[number] if number >= 0 else None

    def choose(self, number: int) -> None:
        """By its place in ``ways``, as a click does."""
        self._group.button(number).click()

    def clear(self) -> None:
        for made in self._group.buttons():
            self._group.removeButton(made)
        for card in self._cards:
            card.hide()
            self._layout.removeWidget(card)
            card.deleteLater()
        self._cards, self._ways = [], []
        self.chosen.emit()

    def add(self, step: ProbeStep) -> None:
        """One device more."""
        title = step.report.title if step.report is not None else _TITLES.get(step.kind, step.kind)
        card = Card(title)
        card.add_right(label(f"{_TITLES.get(step.kind, step.kind)}, port {step.port}" if step.port else _TITLES.get(step.kind, ""), "dim"))
        offers = usable_offers(step.report) if step.report is not None and step.kind == "opcua" else ()
        if not offers:
            card.add(self._plain_row(step))
        modern = [offer for offer in offers if not is_legacy(offer)]
        for place, offer in enumerate(modern):
            card.add(self._offer_row(step, offer, best=place == 0 and offer.mode != "None"))
        self._add_legacy(card, step, [offer for offer in offers if is_legacy(offer)], folded=bool(modern))
        for note in step.report.notes if step.report is not None else ():
            card.add(label(note, "dim", wrap=True, selectable=True))
        self._cards.append(card)
        self._layout.addWidget(card)
        if self._group.checkedId() < 0:
            self._group.buttons()[0].setChecked(True)
            self.chosen.emit()

    def _add_legacy(self, card: Card, step: ProbeStep, offers: list[OfferedEndpoint], *, folded: bool) -> None:
        if not offers:
            return
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        for offer in offers:
            column.addWidget(self._offer_row(step, offer, best=False))
        page.setVisible(not folded)
        if folded:
            ways = "1 deprecated way" if len(offers) == 1 else f"{len(offers)} deprecated ways"
            more = button(f"Show {ways}", "chevron-down", kind="flat")
            more.setAutoDefault(False)
            more.clicked.connect(page.show)
            more.clicked.connect(more.hide)
            line = QHBoxLayout()
            line.addWidget(more)
            line.addStretch(1)
            card.body.addLayout(line)
        card.add(page)

    def _plain_row(self, step: ProbeStep) -> QWidget:
        """Of a device whose protocol has one way only."""
        if step.kind == "modbus":
            return self._row(Way(step), step.url, _MODBUS, Badge("warning", "not protected"))
        return self._row(Way(step), step.url, "", None)

    def _offer_row(self, step: ProbeStep, offer: OfferedEndpoint, *, best: bool) -> QWidget:
        words = "Without security" if offer.mode == "None" else f"{offer.policy}, {_MODES.get(offer.mode, offer.mode)}"
        badge = None
        if best:
            badge = Badge("ok", "recommended")
        elif offer.mode == "None":
            badge = Badge("warning", "not protected")
        elif is_legacy(offer):
            badge = Badge("warning", "deprecated")
        return self._row(Way(step, offer), words, offer.advice, badge)

    def _row(self, way: Way, words: str, advice: str, badge: Badge | None) -> QWidget:
        """A radio button, a pill, and the reason below."""
        choice = QRadioButton(words.replace("&", "&&"))
        choice.setAccessibleDescription(advice)
        self._group.addButton(choice, len(self._ways))
        self._ways.append(way)
        row = QWidget()
        column = QVBoxLayout(row)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        line = QHBoxLayout()
        line.addWidget(choice)
        line.addStretch(1)
        if badge is not None:
            line.addWidget(BadgeLabel(badge))
        column.addLayout(line)
        if advice:
            reason = label(advice, "dim", wrap=True)
            reason.setIndent(22)
            column.addWidget(reason)
        return row

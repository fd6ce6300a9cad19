"""One line that sends a raw request to a Modbus device and shows what it means. Only functions that read leave this computer."""

from __future__ import annotations

from typing import Final

from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSizePolicy, QSpinBox, QWidget

from app.drivers.modbus.questions import RawReply, RawRequest
from app.errors import UserError
from app.runtime.state import Reply
from widgets.look import ElidedLabel, button, label, mono_font, set_look
from widgets.workbench import Workbench

_EXAMPLE: Final = "03 0064 000A"
_MEANING: Final = "03 0064 000A: read holding registers (03) from 100 (0064, zero-based), ten of them (000A)"


class RawRequestLine(QWidget):
    """Hidden where the endpoint shown is no Modbus device."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self._endpoint = ""
        self._token: int | None = None
        self.unit = QSpinBox(minimum=0, maximum=255, value=1)
        self.unit.setAccessibleName("Unit id")
        self.unit.setPrefix("unit ")
        self.pdu = QLineEdit(placeholderText=f"hex, function first: {_EXAMPLE}")
        self.pdu.setToolTip(_MEANING)
        self.pdu.setAccessibleName("Raw request in hex")
        self.pdu.setFont(mono_font())
        self.pdu.setMinimumWidth(280)
        self.send = button("Send", "right", tip="Only functions that read are sent; writing does not exist here")
        self.answer = ElidedLabel("")  # an answer has up to 253 bytes: it must not widen the window
        self.answer.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.answer.setAccessibleName("Answer")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for widget in (label("Raw request", "dim"), self.unit, self.pdu, self.send):
            layout.addWidget(widget)
        layout.addWidget(self.answer, 1)
        self.send.clicked.connect(self._on_send)
        self.pdu.returnPressed.connect(self._on_send)
        self.hide()

    def show_endpoint(self, endpoint: str) -> None:
        """Id of a Modbus endpoint; "" hides the line."""
        self._endpoint = endpoint
        self.setVisible(bool(endpoint))
        self._say("", "")

    def _on_send(self) -> None:
        try:
            pdu = bytes.fromhex(self.pdu.text().replace("0x", ""))
        except ValueError:
            pdu = b""
        if not pdu:
            self._say(f"Write bytes in hex, two digits each, the function first: {_EXAMPLE}", "bad")
            return
        if self._token is not None:
            self._workbench.forget(self._token)
        self._say("asking…", "dim")
        live = self._workbench.live
        self._token = self._workbench.ask(live.ask(self._endpoint, RawRequest(unit=self.unit.value(), pdu=pdu)), self._on_reply)

    def _on_reply(self, reply: Reply) -> None:
        self._token = None
        match reply.result:
            case RawReply(text=text, reply=data, status=status, round_trip_s=round_trip_s):
                self._say(f"{text}   ({data.hex(' ')}, {round_trip_s * 1000:.1f} ms)", "bad" if status else "")
            case UserError() as error:
                self._say(f"{error.what}: {error.why}", "bad")

    def _say(self, text: str, look: str) -> None:
        self.answer.setText(text)
        set_look(self.answer, look=look)

"""Saves our application certificate, for whoever runs the server that does not know us yet."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from app.errors import UserError
from app.projectfile.durable import replace_file
from app.trust.store import TrustStore
from app.workspace.paths import pki_dir
from widgets.workbench import Workbench

_FILTER = "Certificate, DER (*.der);;Certificate, PEM (*.pem)"


def show_save_certificate(parent: QWidget | None, workbench: Workbench) -> QFileDialog:
    """The public part only; the key never leaves its folder."""
    folder = workbench.workspace.last_folder()
    dialog = QFileDialog(parent, "Save our certificate", str(folder / "tagloom.der"), _FILTER)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix("der")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.filterSelected.connect(lambda chosen: dialog.setDefaultSuffix("pem" if "*.pem" in chosen else "der"))
    dialog.fileSelected.connect(lambda name: save_certificate(workbench, Path(name)))
    dialog.open()
    return dialog


def save_certificate(workbench: Workbench, path: Path) -> None:
    try:
        own = TrustStore(pki_dir()).own()
        replace_file(path, own.pem() if path.suffix.lower() == ".pem" else own.der)
    except UserError as error:
        workbench.failed.emit(error)
        return
    except OSError as error:
        why = error.strerror or str(error)
        workbench.failed.emit(UserError("Certificate not saved", where=str(path), why=why, fix="Choose another folder"))
        return
    workbench.workspace.set_last_folder(path.parent)
    workbench.said.emit(f"Saved {path.name}: have it trusted on the server, whose rejected list shows it as {own.name}")

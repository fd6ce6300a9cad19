"""``NAME.tagloom``: strict reading, canonical writing, durable saving, migration of older formats."""

from app.projectfile.read import OpenedFile, open_file, read
from app.projectfile.save import Fingerprint, changed_on_disk, save
from app.projectfile.write import write

__all__ = ["Fingerprint", "OpenedFile", "changed_on_disk", "open_file", "read", "save", "write"]

"""Passwords and passphrases: files hold references (``secret://…``) to them only; here is where their values come from."""

from app.secrets.reference import reference_of
from app.secrets.resolve import Place, Secrets

__all__ = ["Place", "Secrets", "reference_of"]

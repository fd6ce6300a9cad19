"""Taking secrets, people and hosts out of texts that leave this computer or stay in its log."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

HIDDEN: Final = "[hidden]"

_SHORTEST: Final = 4
"""A secret shorter than this is not replaced where it merely occurs: "1" would make every text unreadable."""

# Compiled by ``re`` when something is redacted first, and kept by it.
_URL_LOGIN: Final = r"(?P<scheme>\b[A-Za-z][A-Za-z0-9+.-]*://)[^\s/?#\"'@]*@"
_NAMED: Final = r"""(?i)(?P<name>["']?\b\w*(?:passw(?:or)?d|passphrase|secret|token|api_?key|private_?key)\w*["']?\s*[=:](?!//)\s*)(?!["']?secret://)(?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s,;)}\]]+)"""
_PEM: Final = r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
_URL_HOST: Final = r"\b[A-Za-z][A-Za-z0-9+.-]*://(?:[^\s/?#\"'@]*@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s/?#:\"'@\[\]]+)"
_IPV4: Final = r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])"
_LOCAL: Final = {"localhost", "127.0.0.1", "0.0.0.0", "[::1]", "::1"}  # noqa: S104  compared with, not bound to

_known: set[str] = set()


def never_show(secret: str) -> None:
    """From now on this process hides the secret wherever it occurs in its log and diagnostics; who resolves a secret calls this."""
    if len(secret) >= _SHORTEST:
        _known.add(secret)


def redact(text: str) -> str:
    """The text without secrets: those known, logins in URLs, values behind names like password, private keys."""
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    text = re.sub(_PEM, HIDDEN, text)
    text = re.sub(_URL_LOGIN, rf"\g<scheme>{HIDDEN}@", text)
    return re.sub(_NAMED, _hide_value, text)


def _hide_value(match: re.Match[str]) -> str:
    value = match["value"]
    quote = value[0] if value[0] in "\"'" else ""
    return f"{match['name']}{quote}{HIDDEN}{quote}"


class Pseudonyms:
    """The same other name for the same host or person throughout one set of files: ``host-1``, ``person-2``."""

    def __init__(self) -> None:
        import getpass  # here, as the window's log needs none of it, and is begun before there is a window
        import platform

        self._names: dict[str, str] = {}
        self._patterns: list[tuple[re.Pattern[str], str]] = []
        self._counts: dict[str, int] = {}
        for name, kind in ((getpass.getuser(), "person"), (platform.node(), "this-computer")):
            self.name(name, kind)
        home = str(Path.home())
        if len(home) >= _SHORTEST:
            self._patterns.insert(0, (re.compile(re.escape(home)), "~"))

    def name(self, original: str, kind: str) -> str:
        """The other name of one thing; from now on ``apply`` replaces it wherever it stands as a word."""
        if not original or original.lower() in _LOCAL:
            return original
        if original not in self._names:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._names[original] = f"{kind}-{self._counts[kind]}"
            if len(original) > 1:
                pattern = re.compile(rf"(?<![A-Za-z0-9]){re.escape(original)}(?![A-Za-z0-9])", re.IGNORECASE)
                self._patterns.append((pattern, self._names[original]))
        return self._names[original]

    def hosts_in(self, text: str) -> None:
        """Give other names to the hosts of all URLs, and to all IPv4 addresses, in a text."""
        for match in re.finditer(_URL_HOST, text):
            self.name(match["host"], "host")
        for match in re.finditer(_IPV4, text):
            self.name(match.group(), "host")

    def apply(self, text: str) -> str:
        """The text without secrets, with every host and person that is known by now under its other name."""
        self.hosts_in(text)
        text = redact(text)
        for pattern, other in sorted(self._patterns, key=lambda pair: -len(pair[0].pattern)):
            text = pattern.sub(_constant(other), text)
        return text


def _constant(text: str) -> Callable[[re.Match[str]], str]:
    return lambda _: text

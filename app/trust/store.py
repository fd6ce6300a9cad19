"""The certificate store: a folder with our own certificate, those that are trusted or refused here, issuers and revocation lists.

    own/       tagloom.pem (key and certificate), tagloom.der (certificate)          see ``own``
    users/     NAME.pem                                                              see ``users``
    trusted/   THUMBPRINT.der, and THUMBPRINT.json: when, what was accepted with it, and for which process where it is for once
    refused/   THUMBPRINT.der
    issuers/   CA certificates that complete chains and are not trusted by that
    crl/       revocation lists

Files are written whole; several processes may read and write at once. Certificates and lists in DER or PEM that a person puts
into ``trusted``, ``issuers`` or ``crl`` by hand count like those that were added.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, get_args

import msgspec
import psutil

from app.errors import UserError
from app.trust import files, own, users
from app.trust.facts import MAX_DER, Facts, clean, facts, spaced, thumbprint_of, utc
from app.trust.own import OwnCertificate
from app.trust.problem import Code
from app.trust.revocation import MAX_CRL, RevocationList, revocation_list
from app.trust.users import PassphraseError, StoredUser, UserCertificate

__all__ = ["Known", "OwnCertificate", "PassphraseError", "StoredUser", "TrustStore", "UserCertificate"]

_LOGGER = logging.getLogger(__name__)

Kind = Literal["trusted", "refused", "issuer"]
FOLDERS: Final[dict[Kind, str]] = {"trusted": "trusted", "refused": "refused", "issuer": "issuers"}
NEVER: Final = frozenset({"refused", "bad signature", "revoked", "not a certificate"})
"""Problems that nobody can accept."""
ACCEPTABLE: Final = tuple(code for code in get_args(Code) if code not in NEVER)
_SUFFIXES: Final = frozenset({".der", ".crt", ".cer", ".pem", ".crl"})
_SHORTEST_THUMBPRINT: Final = 4
_complained: set[Path] = set()
"""Files of the store that cannot be read are logged once."""


class Running(msgspec.Struct, frozen=True):
    """A process, told from a later one of the same number by when it began (s since 1970)."""

    process: int
    began_s: float

    @classmethod
    def this(cls) -> Running:
        return cls(os.getpid(), psutil.Process().create_time())

    @property
    def still(self) -> bool:
        try:
            return abs(psutil.Process(self.process).create_time() - self.began_s) < 1.0
        except psutil.Error:
            return False


class _Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """What stands beside a certificate."""

    since_ns: int = 0
    accepting: tuple[str, ...] = ()
    while_runs: Running | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """A certificate that a person decided about, or one added to complete chains.

    Attributes:
        since_ns: When the decision was taken (Unix ns).
        accepting: Problems accepted for this certificate: a code of ``judge.Problem``, or ``code:about``, which holds for that host,
            application URI or thumbprint only.
        once: Trusted only as long as the program runs that was told so.
    """

    kind: Kind
    der: bytes = field(repr=False)
    facts: Facts
    since_ns: int
    path: Path
    accepting: tuple[str, ...] = ()
    once: bool = False

    @property
    def thumbprint(self) -> str:
        return self.facts.thumbprint


class TrustStore:
    """One folder. Nothing is kept in memory: what another process decides counts at once.

    Args:
        folder: ``app.workspace.paths.pki_dir()``; made when something is written.
        now_ns: Wall clock.
    """

    def __init__(self, folder: Path, *, now_ns: Callable[[], int] = time.time_ns) -> None:
        self.folder = Path(folder)
        self._now_ns = now_ns

    # Our own, and people's

    def own(self) -> OwnCertificate:
        """Our application certificate; made on first use, renewed before it ends. May take some seconds then.

        Raises:
            UserError: The folder cannot be written.
        """
        files.made_folder(self.folder)
        return own.own_certificate(self.folder / "own", self._now_ns())

    def user(self, name: str, passphrase: str = "") -> UserCertificate:
        """The X.509 user identity that was imported under this name; a key that is not encrypted needs no passphrase.

        Raises:
            PassphraseError: Its key needs a passphrase, or another one.
            UserError: There is none of this name, or its file is damaged.
        """
        return users.user_certificate(self.folder / "users", name, passphrase)

    def users(self) -> list[StoredUser]:
        found: list[StoredUser] = []
        for path in self._files("users"):
            try:
                found.append(users.stored_user(path))
            except UserError as error:
                _complain(path, error)
        return found

    def import_user(self, name: str, content: bytes, passphrase: str = "", *, key: bytes = b"") -> StoredUser:
        """Keep certificate and key of a person.

        Args:
            content: PEM with certificate and key, PKCS#12, or a certificate alone (DER or PEM).
            passphrase: Opens the key, and encrypts it in the store; "" keeps it without encryption.
            key: The key, where it is in a file of its own (PEM or DER).

        Raises:
            PassphraseError: The key needs a passphrase, or another one.
            UserError: The key does not fit, is no RSA key, or the name is taken.
        """
        files.made_folder(self.folder)
        return users.import_user(self.folder / "users", name, content, passphrase, key)

    def remove_user(self, name: str) -> None:
        """Raises ``UserError`` when there is none."""
        users.remove_user(self.folder / "users", name)

    # Decisions

    def trusted(self) -> list[Known]:
        return self._known("trusted")

    def refused(self) -> list[Known]:
        return self._known("refused")

    def issuers(self) -> list[Known]:
        return self._known("issuer")

    def trust(self, der: bytes, *, accepting: Sequence[str] = (), once: bool = False) -> Known:
        """Trust this certificate from now on; what was accepted for it before stays accepted.

        The certificate of a CA (``Facts.authority``) is thereby trusted to issue others. What is accepted with it ("no revocation
        list") holds for all that it issued.

        Args:
            once: Only as long as this process runs. One that is trusted for good stays so.
            accepting: ``Problem.acceptance`` of what a person was told and accepts, or bare codes. "untrusted" goes without saying.

        Raises:
            UserError: No certificate; refused here before (``remove`` it first); a problem that can never be accepted.
        """
        found = facts(der)
        wanted = _acceptable(accepting, found.name)
        with files.alone(self.folder):
            if refused := self._same(self.refused(), der):
                fix = f"If that was wrong, remove it first: tagloom trust remove {found.thumbprint[:12]}"
                raise UserError("Not trusted", where=found.name, why=f"it was refused here on {utc(refused.since_ns)}", fix=fix)
            before = self._same(self.trusted(), der)
            since = before.since_ns if before else self._now_ns()
            accepted = tuple(dict.fromkeys((*(before.accepting if before else ()), *wanted)))
            passing = once and (before is None or before.once)
            return self._keep("trusted", der, found, _Record(since, accepted, Running.this() if passing else None))

    def refuse(self, der: bytes) -> Known:
        """Never accept this certificate, also when it is trusted now.

        Raises:
            UserError: It is no certificate.
        """
        found = facts(der)
        with files.alone(self.folder):
            known = self._keep("refused", der, found, _Record(self._now_ns()))
            for one in self.trusted():
                if one.der == der:
                    _forget(one)
            return known

    def remove(self, thumbprint: str) -> Known:
        """Forget the decision about this certificate (trusted, refused or issuer).

        Raises:
            UserError: It is not known.
        """
        wanted = _digits(thumbprint)
        with files.alone(self.folder):
            found = [one for one in self._everything() if one.thumbprint == wanted]
            if not found:
                fix = "tagloom trust list shows those that are"
                raise UserError("Nothing removed", where=thumbprint, why="no certificate of this thumbprint is known here", fix=fix)
            for one in found:
                _forget(one)
            return found[0]

    def find(self, text: str) -> Known:
        """By the beginning of its thumbprint (SHA-1 or SHA-256), or a part of its name, subject, application URI or hosts.

        Raises:
            UserError: None, or several.
        """
        everything = self._everything()
        digits = _digits(text)
        named = [one for one in everything if len(digits) >= _SHORTEST_THUMBPRINT and _begins(one.facts, digits)]
        found = named or [one for one in everything if _mentions(one.facts, text)]
        if not text.strip() or not found:
            fix = "tagloom trust list shows those that are"
            raise UserError("No such certificate", where=clean(text), why="none that is known here fits", fix=fix)
        if len({one.der for one in found}) > 1:
            lines = "\n".join(f"{spaced(one.thumbprint)}  {one.facts.name}" for one in found)
            raise UserError(
                "Which certificate?", where=clean(text), why=f"several fit:\n{lines}", fix="Give the beginning of its thumbprint"
            )
        return found[0]

    # What completes chains

    def add_issuer(self, der: bytes) -> Known:
        """A CA certificate that completes chains; it is not trusted by that.

        Raises:
            UserError: It is no certificate, or not that of a CA.
        """
        found = facts(der)
        if not found.is_ca:
            why = "it does not say that it may issue certificates (basicConstraints)"
            raise UserError("This is no certificate of a CA", where=found.name, why=why, fix="To trust a server: tagloom trust add FILE")
        with files.alone(self.folder):
            return self._keep("issuer", der, found, _Record(self._now_ns()))

    def add_crl(self, content: bytes) -> RevocationList:
        """Keep a certificate revocation list (DER or PEM); whose signature it bears is looked at when a chain is judged.

        Raises:
            UserError: It is none.
        """
        found = revocation_list(content)
        with files.alone(self.folder):
            files.write(self.folder / "crl" / f"{thumbprint_of(found.der)}.crl", found.der)
        return found

    def crls(self) -> list[RevocationList]:
        found: list[RevocationList] = []
        for path in self._files("crl"):
            try:
                found.append(revocation_list(files.read(path, MAX_CRL) or b""))
            except UserError as error:
                _complain(path, error)
        return found

    # Files

    def _everything(self) -> list[Known]:
        return [*self.trusted(), *self.refused(), *self.issuers()]

    def _known(self, kind: Kind) -> list[Known]:
        """In the order in which they came to be known. What is no certificate is left out, and logged once."""
        found: list[Known] = []
        for path in self._files(FOLDERS[kind]):
            try:
                content = files.read(path, 2 * MAX_DER)
                if content is None:  # removed by another process just now
                    continue
                der = certificate_der(content)
                record = _record(path)
                if record.while_runs is None or record.while_runs.still:
                    found.append(Known(kind, der, facts(der), record.since_ns, path, record.accepting, record.while_runs is not None))
            except UserError as error:
                _complain(path, error)
        return sorted(found, key=lambda one: (one.since_ns, one.thumbprint))

    def _files(self, folder: str) -> list[Path]:
        try:
            paths = sorted((self.folder / folder).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            where = str(self.folder / folder)
            fix = "Check who may read the folder"
            raise UserError("The certificate store cannot be read", where=where, why=error.strerror or str(error), fix=fix) from error
        return [path for path in paths if path.suffix.lower() in _SUFFIXES and not path.name.startswith(".")]

    @staticmethod
    def _same(known: Sequence[Known], der: bytes) -> Known | None:
        return next((one for one in known if one.der == der), None)

    def _keep(self, kind: Kind, der: bytes, found: Facts, record: _Record) -> Known:
        """The record first: who sees the certificate also sees what belongs to it."""
        files.made_folder(self.folder)
        path = self.folder / FOLDERS[kind] / f"{found.thumbprint}.der"
        files.write(path.with_suffix(".json"), msgspec.json.encode(record) + b"\n")
        files.write(path, der)
        return Known(kind, der, found, record.since_ns, path, record.accepting, record.while_runs is not None)


def certificate_der(content: bytes) -> bytes:
    """A certificate in DER, or the first one of a PEM text.

    Raises:
        UserError: It is neither.
    """
    import base64
    import binascii

    if b"-----BEGIN " not in content:
        facts(content)
        return content
    block = next(
        (block for label, block in files.pem_blocks(content) if label in ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE")), b""
    )
    try:
        der = base64.b64decode(b"".join(line for line in block.splitlines() if not line.startswith(b"-----")), validate=True)
    except binascii.Error:
        der = b""
    facts(der)
    return der


def _acceptable(accepting: Sequence[str], name: str) -> tuple[str, ...]:
    """Each once, without what trusting itself says. Raises ``UserError`` for what cannot be accepted, or is no problem at all."""
    codes = {one.partition(":")[0] for one in accepting}
    if never := sorted(codes & NEVER):
        raise UserError("This cannot be accepted", where=name, why=f"{', '.join(never)}: nobody may overrule that")
    if strange := sorted(codes.difference(ACCEPTABLE)):
        fix = f"What can be accepted: {', '.join(ACCEPTABLE)}"
        raise UserError("This cannot be accepted", where=name, why=f'there is no problem called "{clean(strange[0])}"', fix=fix)
    return tuple(dict.fromkeys(one for one in accepting if one != "untrusted"))


def _record(path: Path) -> _Record:
    """Without a record, or with a damaged one, nothing was accepted; the time is that of the file."""
    content = files.read(path.with_suffix(".json"), MAX_DER)
    try:
        since_ns = path.stat().st_mtime_ns
    except OSError:
        since_ns = 0  # removed by another process just now
    if content is None:
        return _Record(since_ns)
    try:
        return msgspec.json.decode(content, type=_Record)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        _complain(path.with_suffix(".json"), error)
        return _Record(since_ns)


def _forget(known: Known) -> None:
    files.remove(known.path)
    files.remove(known.path.with_suffix(".json"))


def _digits(text: str) -> str:
    """Hex digits of a thumbprint as people write it; "" for what is none."""
    digits = "".join(text.split()).replace(":", "").upper()
    return digits if digits and all(letter in "0123456789ABCDEF" for letter in digits) else ""


def _begins(found: Facts, digits: str) -> bool:
    return found.thumbprint.startswith(digits) or found.sha256.startswith(digits)


def _mentions(found: Facts, text: str) -> bool:
    part = text.strip().casefold()
    return any(part in one.casefold() for one in (found.name, found.subject, found.application_uri, *found.hosts))


def _complain(path: Path, error: Exception) -> None:
    if path not in _complained:
        _complained.add(path)
        _LOGGER.warning("a file of the certificate store is left out: %s: %s", path, getattr(error, "why", error))

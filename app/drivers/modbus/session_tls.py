"""Modbus/TCP Security: TLS with a certificate on both sides, ours shown and the device's judged before anything is asked.

The handshake itself does not verify (``CERT_NONE``): it proves that the device has the key of the certificate it shows, and the
program's own trust store says what is thought of that certificate, in words and with what can be done (MB-TCP-Security v3.6 §6 asks for
mutual X.509 and TLS 1.2 or later).
"""

from __future__ import annotations

import asyncio
import ssl
import time
from pathlib import Path

from app.drivers.base import EndpointConfig
from app.drivers.modbus.session_line import ONE_CLIENT, TcpLine, why_lost, why_not_connected
from app.drivers.modbus.url import ModbusUrl
from app.errors import EndpointError
from app.trust.facts import Facts
from app.trust.judge import judge, refusal
from app.trust.own import OwnCertificate
from app.trust.store import TrustStore

_REJECTED = (
    "unknown_ca", "bad_certificate", "certificate_unknown", "certificate_required", "certificate_expired", "certificate_revoked",
    "unsupported_certificate", "access_denied", "handshake_failure", "decrypt_error",
)  # fmt: skip
"""Alerts with which a device refuses the certificate of its client (RFC 8446 §6.2), as OpenSSL names them in lower case."""


class TlsLine(TcpLine):
    """See ``session_line.Line``.

    Attributes:
        facts: Of the device's certificate, once it is accepted.
        version: ``TLSv1.3``.
    """

    def __init__(self, url: ModbusUrl, config: EndpointConfig) -> None:
        super().__init__(url.host, url.port)
        self._url, self._config = url, config
        self._store = TrustStore(Path(config.pki)) if config.pki else None
        self._own: OwnCertificate | None = None
        self.facts: Facts | None = None
        self.version = ""

    async def open(self, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                self._own = await asyncio.to_thread(self._store.own) if self._store is not None else None
                await self._connect(self._context())
        except TimeoutError as error:
            why = f"no TLS connection within {timeout_s:g} s"
            fix = "Check that this port speaks Modbus over TLS (802 is the usual one); modbus:// is without TLS"
            raise EndpointError("Cannot connect", where=self._where, why=why, fix=fix) from error
        except ssl.SSLError as error:
            raise self.refused_by_device(error) from error
        except (ConnectionResetError, BrokenPipeError) as error:
            raise self._ended_in_handshake(why_lost(error)) from error
        except OSError as error:
            why, fix = why_not_connected(error, self._port)
            raise EndpointError("Cannot connect", where=self._where, why=why, fix=fix) from error
        try:
            await self._judge()
        except EndpointError:
            self.close()
            raise

    def _context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # judged by ``_judge`` before the first request
        if self._own is not None:
            context.load_cert_chain(self._own.key_path)
        return context

    async def _judge(self) -> None:
        assert self._transport is not None
        shown: ssl.SSLObject = self._transport.get_extra_info("ssl_object")
        self.version = shown.version() or ""
        verdict = await asyncio.to_thread(  # it reads the store
            judge,
            self._store,
            _chain(shown),
            host=self._url.host,
            application_uri="",
            known=self._config.identity,
            now_ns=time.time_ns(),
        )
        if not verdict.accepted:
            raise refusal(verdict, str(self._url))
        self.facts = verdict.facts

    def ended_by_device(self, why: str) -> EndpointError:
        """For a connection that ended after the handshake and before any reply. TLS 1.3 refuses a client's certificate only then."""
        if isinstance(self.error, ssl.SSLError):
            return self.refused_by_device(self.error)
        own = self._own
        return EndpointError(
            "The device ends the connection after the TLS handshake",
            where=str(self._url),
            why=f"{why}: it probably does not accept our certificate, or allows only one client at a time",
            fix=f"{self._install()} If it has it already: {ONE_CLIENT[0].lower()}{ONE_CLIENT[1:]}",
            code="rejected" if own else "",
            evidence=own.der if own else b"",
        )

    def refused_by_device(self, error: ssl.SSLError) -> EndpointError:
        """For an alert, or for what is no TLS at all."""
        reason = (error.reason or str(error)).lower()
        own = self._own
        if any(word in reason for word in _REJECTED):
            return EndpointError(
                "The device does not accept our certificate",
                where=str(self._url),
                why=f"it ended TLS with {reason.replace('_', ' ')}",
                fix=self._install(),
                code="rejected" if own else "",
                evidence=own.der if own else b"",
            )
        return EndpointError(
            "Cannot connect",
            where=str(self._url),
            why=f"no TLS with this device: {reason.replace('_', ' ')}",
            fix="Check the port: Modbus over TLS is 802, modbus:// is without TLS. TLS 1.2 or later is needed",
        )

    def _ended_in_handshake(self, why: str) -> EndpointError:
        return EndpointError(
            "Cannot connect",
            where=str(self._url),
            why=f"{why} during the TLS handshake: there may be no TLS on this port, or our certificate is not accepted",
            fix=f"Check the port: Modbus over TLS is 802, modbus:// is without TLS. {self._install()}",
        )

    def _install(self) -> str:
        if self._own is None:
            return "It asks for a certificate, and there is none here."
        return f'Install our certificate "{self._own.name}" ({self._own.thumbprint}) on the device, with the role it asks for, and retry.'


def _chain(shown: ssl.SSLObject) -> list[bytes]:
    """What the device sent, its own certificate first. Before Python 3.13 all of it is below the public surface only."""
    unverified = getattr(shown, "get_unverified_chain", None)
    if unverified is not None:
        return [bytes(der) for der in unverified() or ()]
    below = getattr(getattr(shown, "_sslobj", None), "get_unverified_chain", None)
    if below is not None:
        return [ssl.PEM_cert_to_DER_cert(certificate.public_bytes()) for certificate in below() or ()]
    der = shown.getpeercert(binary_form=True)
    return [der] if der else []

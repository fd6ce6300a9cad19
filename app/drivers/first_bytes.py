"""What answers, by the first bytes it sends. Pure; the bytes come from anybody, so every text is cleaned and cut."""

from __future__ import annotations

import re
from typing import Final

_LONGEST: Final = 60

USUAL: Final[dict[int, str]] = {
    21: "FTP", 22: "SSH", 23: "Telnet", 25: "mail", 80: "a web server", 102: "Siemens S7 (ISO on TCP)", 161: "SNMP", 443: "a web server",
    1883: "MQTT", 2222: "EtherNet/IP I/O", 2404: "IEC 60870-5-104", 3389: "remote desktop", 4000: "Emerson ROC", 5000: "a web server",
    5094: "HART-IP", 5900: "VNC", 8080: "a web server", 8443: "a web server", 8883: "MQTT over TLS", 9600: "Omron FINS",
    18245: "GE SRTP", 20000: "DNP3", 34962: "PROFINET", 44818: "EtherNet/IP", 47808: "BACnet", 48898: "Beckhoff ADS",
}  # fmt: skip
"""Ports as they are usually used, for what says nothing by itself. Said as "usually", never as a finding."""

_GREETINGS: Final = {"RFB ": "a VNC server", "* OK": "a mail server (IMAP)", "+OK": "a mail server (POP3)", "RTSP/": "a camera (RTSP)"}


def what_answered(data: bytes) -> str:
    """``a web server (nginx/1.24)``; "" for bytes that say nothing."""
    for recognise in (_web, _banner, _binary):
        if found := recognise(data):
            return found
    return ""


def shown(data: bytes) -> str:
    """The beginning of unknown bytes: as text where it is text, else in hex."""
    head = data[:24]
    text = head.decode("ascii", "replace")
    return repr(clean(text)) if text.isprintable() and text.strip() else head.hex(" ")


def clean(text: str) -> str:
    """One short line without control characters."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _web(data: bytes) -> str:
    text = data.decode("latin-1")
    if not text.startswith("HTTP/") and not re.match(r"\s*<(!doctype|html|\?xml)", text, re.I):
        return ""
    head = text.replace("\r\n", "\n").partition("\n\n")[0]
    server = re.search(r"^server:[ \t]*(.+)$", head, re.I | re.M)
    return "a web server (HTTP)" if server is None else f"a web server ({clean(server[1])})"


def _banner(data: bytes) -> str:
    line = clean(data.partition(b"\n")[0].decode("utf-8", "replace"))
    words = line.lower()
    if line.startswith("SSH-"):
        return f"an SSH server ({line})"
    if re.match(r"\d{3}[ -]", line) and data.startswith((b"220", b"120", b"421", b"500", b"530", b"554")):
        name = "a mail server" if "smtp" in words or "mail" in words else "an FTP server" if "ftp" in words else "an FTP or mail server"
        return f"{name} ({line})"
    for start, name in _GREETINGS.items():
        if line.startswith(start):
            return f"{name} ({line})"
    if line.startswith(("-ERR ", "-DENIED")):
        return "a Redis database"
    return ""


def _binary(data: bytes) -> str:
    if data[:1] in (b"\x15", b"\x16") and data[1:2] == b"\x03" and len(data) >= 5:
        return "a TLS server"  # RFC 8446 §5.1: alert or handshake record of any version
    if data[:4] in (b"ACKF", b"ERRF", b"RHEF"):
        return "an OPC UA server"
    if data[:2] == b"\x03\x00" and len(data) >= 4 and 4 <= int.from_bytes(data[2:4], "big") <= 8192:
        return "an ISO on TCP device (Siemens S7 and others)"  # RFC 1006 §6: TPKT
    if data[:4] == b"AMQP":
        return "an AMQP broker"
    if data[:1] == b"\xff" and data[1:2] and data[1] in (0xFB, 0xFC, 0xFD, 0xFE):
        return "a Telnet server"  # RFC 854: IAC and a negotiation
    if data[:2] in (b"\x20\x02", b"\x20\x03") and len(data) in (4, 5):
        return "an MQTT broker"  # CONNACK
    if len(data) >= 24 and data[:2] in (b"\x65\x00", b"\x63\x00", b"\x04\x00") and int.from_bytes(data[2:4], "little") == len(data) - 24:
        return "an EtherNet/IP device"
    if len(data) > 5 and data[3:4] == b"\x00" and data[4:5] == b"\x0a":
        return "a MySQL database"
    return ""

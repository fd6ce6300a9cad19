"""The rows of the server card: what the project says, what answered, and what it allows, section by section."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Final

from app.drivers import spec_for
from app.drivers.base import EndpointReport, Learned, OfferedEndpoint
from app.drivers.probe_target import is_legacy, usable_offers
from app.errors import UserError
from app.model.plant import Endpoint
from app.runtime.outages import Outage
from app.runtime.state import NOTHING_LEARNED, ConnectionState
from app.trust.facts import facts, spaced
from app.trust.validity import validity
from widgets.clock import clock_text, day_and_time
from widgets.connection_text import items_text
from widgets.look import Badge, KeyValue
from widgets.reading_text import age_text

Rate = tuple[float, float, int]
"""Interval asked for and interval granted (ms), and of how many tags."""
_RATES_NAMED: Final = 4
_QUARANTINED_NAMED: Final = 20
_PHASES = {
    "off": "not connected",
    "connecting": "connecting…",
    "connected": "connected",
    "waiting": "waiting to try again",
    "stopped": "not connected, and not tried again by itself",
}
_PROTECTION = {"Sign": "signed", "SignAndEncrypt": "signed and encrypted"}
_MODES = {"None": "", "Sign": "signed", "SignAndEncrypt": "encrypted"}


def phase_text(state: ConnectionState) -> str:
    if state.held:
        return "connected, but to another device than the project knows: no tag is read"
    if state.phase == "connected" and state.as_of_ns is not None:
        return f"snapshot of {day_and_time(state.as_of_ns)}; nothing of it is live"
    return _PHASES[state.phase] + (", no answer at the moment" if state.phase == "connected" and state.stale else "")


def settings_rows(endpoint: Endpoint, here: str, tags: int) -> list[KeyValue]:
    """What the project says, and where this laptop reaches it."""
    address = endpoint.addresses["default"]
    rows = [KeyValue("Address", address)]
    if here != address:
        rows.append(KeyValue("Reached as", here))
    rows += [KeyValue(f"Address {name}", url) for name, url in endpoint.addresses.items() if name != "default"]
    if spec_for(address).key == "opcua":
        rows += _security_rows(endpoint)
    if endpoint.description:
        rows.append(KeyValue("Description", endpoint.description))
    rows.append(KeyValue("Tags", f"{tags:,}"))
    return rows


def _security_rows(endpoint: Endpoint) -> list[KeyValue]:
    security = endpoint.security
    if security.mode == "None":
        protection = KeyValue("Security", "not protected", badge=Badge("warning", "not protected"))
    else:
        protection = KeyValue("Security", f"{security.policy}, {_PROTECTION[security.mode]}")
    who = {"anonymous": "anonymous", "password": f"{security.name}, with password", "certificate": f"{security.name}, by certificate"}
    return [protection, KeyValue("User", who[security.user])]


def live_rows(state: ConnectionState, rates: Sequence[Rate] = (), *, utc: bool = False) -> list[KeyValue]:
    """What is measured while it is connected, and the rates that the device granted."""
    if state.phase != "connected" or state.as_of_ns is not None:
        return []
    rows = [
        KeyValue("Connected", f"since {clock_text(state.since_ns, utc=utc).partition('.')[0]}"),
        KeyValue("Round trip", f"{state.round_trip_s * 1000:.1f} ms"),
        KeyValue("Values", f"{state.values_per_s:,.0f} per second"),
        KeyValue("On the device", items_text(state), tip="What stands there because of us; the rest was refused, or is not answered yet"),
    ]
    if rates:
        rows.append(KeyValue("Rates granted", "\n".join(map(_rate, rates[:_RATES_NAMED])) + _and_more(len(rates) - _RATES_NAMED)))
    if state.memory_bytes:
        rows.append(KeyValue("Connector", f"{state.memory_bytes / 2**20:.0f} MiB", tip="Memory of the process that speaks to it"))
    return rows


def _rate(rate: Rate) -> str:
    asked, granted, count = rate
    return f"{granted:,g} ms for {count:,}" + (f" (asked {asked:,g} ms)" if granted != asked else "")


def _and_more(count: int) -> str:
    return f"\nand {count} more" if count > 0 else ""


def outage_rows(state: ConnectionState, *, utc: bool = False) -> list[KeyValue]:
    """The last losses, the newest first: when, how long, why."""
    if not state.outages:
        return []
    rows = [
        KeyValue(clock_text(one.began_ns, utc=utc).partition(".")[0], f"{_lasted(one)}\n{one.why}".rstrip(), tip=one.why)
        for one in reversed(state.outages)
    ]
    return [KeyValue("Last losses", heading=True), *rows]


def _lasted(outage: Outage) -> str:
    if outage.lasted_s is None:
        return "not back yet"
    return f"{outage.lasted_s:.1f} s" if outage.lasted_s < 60 else age_text(outage.lasted_s)


def quarantine_rows(learned: Learned) -> list[KeyValue]:
    """Nodes that spoil every request they are in, and why they are asked for alone or not at all."""
    if not learned.quarantined:
        return []
    rows = [KeyValue("Node", f"{address}\n{why}") for address, why in list(learned.quarantined.items())[:_QUARANTINED_NAMED]]
    more = len(learned.quarantined) - len(rows)
    return [KeyValue("Asked for alone or not at all", heading=True), *rows, *([KeyValue("", f"and {more:,} more")] if more else [])]


def report_rows(report: EndpointReport) -> list[KeyValue]:
    """What answered last; it stays after a loss."""
    rows = [KeyValue("What answered", heading=True), KeyValue("Answers as", report.title)]
    if report.product and report.product != report.title:
        rows.append(KeyValue("Product", report.product))
    if report.application_uri:
        rows.append(KeyValue("Application URI", report.application_uri))
    if report.units:
        rows.append(KeyValue("Unit ids", ", ".join(map(str, report.units))))
    if report.identity.register:
        rows.append(KeyValue("Identity register", f"{report.identity.register} = {report.identity.value or 'not read'}"))
    if report.clock_offset_s is not None:
        rows.append(KeyValue("Clock", _clock(report.clock_offset_s)))
    rows += [KeyValue(_capital(name), text) for name, text in report.granted.items()]
    rows += [KeyValue("Note", note) for note in report.notes]
    return rows


def _clock(offset_s: float) -> str:
    if abs(offset_s) < 0.0005:
        return "as this computer's"
    size = f"{abs(offset_s):.3f} s" if abs(offset_s) < 60 else f"{abs(offset_s):,.0f} s"
    return f"{size} {'ahead of' if offset_s > 0 else 'behind'} this computer's"


def certificate_rows(report: EndpointReport, now_ns: int | None = None) -> list[KeyValue]:
    """Of each certificate that the server shows: usually one."""
    rows: list[KeyValue] = []
    for der in dict.fromkeys(offer.certificate for offer in report.offered if offer.certificate):
        rows.append(KeyValue("Certificate", heading=True))
        try:
            found = facts(der)
        except UserError as error:
            rows.append(KeyValue("Certificate", error.why, badge=None))
            continue
        until = validity(found, time.time_ns() if now_ns is None else now_ns)
        states = {"ends soon": "warning", "expired": "error", "not yet valid": "error"}
        if until.state in states:
            rows.append(KeyValue("Validity", until.state, badge=Badge(states[until.state], until.state, until.text), tip=until.text))
        rows += [
            KeyValue("Name", found.name),
            KeyValue("Valid", until.text),
            KeyValue("Thumbprint", spaced(found.thumbprint), mono=True),
            KeyValue("Key", f"{found.key}, {found.signature}"),
        ]
        if found.application_uri and found.application_uri != report.application_uri:
            rows.append(KeyValue("Its URI", found.application_uri, badge=None))
    return rows


def offer_rows(report: EndpointReport) -> list[KeyValue]:
    """The ways to connect, best first; the modes of one policy in one row where they take the same users."""
    grouped: dict[tuple[str, tuple[str, ...]], list[OfferedEndpoint]] = {}
    for offer in usable_offers(report):
        grouped.setdefault((offer.policy, offer.users), []).append(offer)
    if not grouped:
        return []
    return [KeyValue("Ways to connect, best first", heading=True), *(_offer_row(offers) for offers in grouped.values())]


def _offer_row(offers: list[OfferedEndpoint]) -> KeyValue:
    best = offers[0]
    name = "No security" if best.mode == "None" else best.policy
    modes = " or ".join(_MODES.get(offer.mode, offer.mode) for offer in offers if offer.mode != "None")
    parts = [modes, "deprecated" if is_legacy(best) else "", ", ".join(best.users) or "users not stated"]
    return KeyValue(name, "\n".join(part for part in parts if part), tip="\n".join(dict.fromkeys(offer.advice for offer in offers)))


def limit_rows(report: EndpointReport, learned: Learned = NOTHING_LEARNED) -> list[KeyValue]:
    """Published limits, and beside them what was found by running into it, now or in an earlier session."""
    found = {_found_title(report, name): number for name, number in (learned.limits | report.found).items()}
    limits = {name: _limit(report.limits.get(name), found.get(name)) for name in dict.fromkeys((*report.limits, *found))}
    if not limits:
        return []
    rows = [KeyValue(name, text, wide=True) for name, text in limits.items() if text]
    silent = [name for name, text in limits.items() if not text]
    if silent:
        rows.append(KeyValue("Not stated", "\n".join(silent)))
    return [KeyValue("Limits", heading=True), *rows]


def _found_title(report: EndpointReport, name: str) -> str:
    """A driver names what it found by the service, where that is no limit that the server publishes."""
    return name if name in report.limits else f"Per {name} request"


def _limit(published: int | None, found: int | None) -> str:
    text = f"{published:,}" if published else ""
    return ", ".join(part for part in (text, "" if found is None else f"found {found:,}") if part)


def namespace_rows(report: EndpointReport) -> list[KeyValue]:
    if not report.namespaces:
        return []
    rows = (KeyValue(str(index), uri, wide=True) for index, uri in enumerate(report.namespaces))
    return [KeyValue("Namespaces", heading=True), *rows]


def change_rows(state: ConnectionState) -> list[KeyValue]:
    """In what another device answers."""
    if not state.held:
        return []
    lines: Iterable[KeyValue] = (KeyValue(_capital(one.title), f"{one.expected} → {one.found}") for one in state.changed)
    return [KeyValue("Changed since the project knew it", heading=True), *lines]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

"""Protocol drivers. One is found because its folder sits here; nothing lists them."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from app.drivers.base import EndpointConfig, EndpointReport, Session, Spec
from app.errors import UserError


@cache
def specs() -> dict[str, Spec]:
    """Every driver's spec by key. Imports no protocol library."""
    found = (import_module(f"{__name__}.{module.name}.spec").SPEC for module in iter_modules(__path__) if module.ispkg)
    return {spec.key: spec for spec in found}


def spec_for(url: str) -> Spec:
    """The spec whose scheme a URL has.

    Raises:
        UserError: No driver speaks it; the message names the schemes there are.
    """
    scheme = url.split(":", 1)[0].strip().lower()
    for spec in specs().values():
        if scheme in spec.schemes:
            return spec
    known = ", ".join(sorted(scheme for spec in specs().values() for scheme in spec.schemes))
    raise UserError("Unknown kind of endpoint", where=url, why=f'no driver speaks "{scheme}:"', fix=f"Use one of: {known}")


def is_offline(url: str) -> bool:
    """Whether a URL leads to a file of ours and to no device: what it tells is never live, and no secret is needed for it."""
    try:
        return bool(getattr(spec_for(url), "offline", False))
    except UserError:
        return False


def open_session(config: EndpointConfig) -> Session:
    """A new session for one attempt. Imports the protocol library: only connector processes and tests call this."""
    module = import_module(f"{__name__}.{spec_for(config.url).key}.session")
    session: Session = module.open_session(config)
    return session


async def discover(url: str, timeout_s: float) -> EndpointReport:
    """What answers at a URL, without a session. Imports the protocol library: only connector processes and tests call this.

    Raises:
        EndpointError: Nothing answers, or something that does not speak this protocol.
    """
    module = import_module(f"{__name__}.{spec_for(url).key}.session")
    report: EndpointReport = await module.discover(url, timeout_s)
    return report

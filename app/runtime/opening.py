"""What a connection is opened with: the project's settings, the way it is reached from here, the secret, the certificate store."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

from app.drivers.base import EndpointConfig, Spec
from app.errors import EndpointError, UserError
from app.model.plant import Endpoint
from app.model.project import Project
from app.runtime.watching import endpoint_config
from app.secrets import reference_of

if TYPE_CHECKING:
    import asyncio  # imported with the first connection

Resolver = Callable[[str], str | None]
"""Reference (``secret://…``) → value, None where it is not known. May take seconds (a keyring asks the person), in any thread."""


class Opening(NamedTuple):
    """``config`` is without the secret, which ``secret`` gives or raises ``UserError``; it is asked for just before each attempt.

    ``spec`` is that of the endpoint's own address, whose addresses and status codes its tags have wherever it is reached.
    """

    spec: Spec
    config: EndpointConfig
    secret: Callable[[], str] | None


def opening(
    project: Project, endpoint_id: str, url: str, *, find_spec: Callable[[str], Spec], secrets: Resolver | None, pki: str
) -> Opening:
    """Everything for attempts, as the project says it now.

    Raises:
        UserError: No such endpoint, or no driver for the URL.
    """
    endpoint = project.get(Endpoint, endpoint_id)
    if endpoint is None:
        raise UserError("Cannot connect", where=endpoint_id, why="the project has no such endpoint", fix="Add it first")
    reached = find_spec(url)
    config = endpoint_config(project, endpoint, reached.parse_url(url), pki)
    needs_secret = secret_reference(endpoint) and not getattr(reached, "offline", False)
    spec = own_spec(endpoint, find_spec) or reached
    return Opening(spec, config, (lambda: _secret_of(endpoint, secrets)) if needs_secret else None)


def own_spec(endpoint: Endpoint, find_spec: Callable[[str], Spec]) -> Spec | None:
    """Of its default address; None where no driver speaks it."""
    try:
        return find_spec(endpoint.addresses.get("default", ""))
    except UserError:
        return None


def secret_reference(endpoint: Endpoint) -> str:
    """Where its secret is known by; "" when it needs none. A user with a password has one even if the project does not name it."""
    security = endpoint.security
    return security.secret or (reference_of(endpoint.id) if security.user == "password" else "")


def _secret_of(endpoint: Endpoint, secrets: Resolver | None) -> str:
    reference = secret_reference(endpoint)
    value = secrets(reference) if secrets else None
    if value is None:
        kind = "password" if endpoint.security.user == "password" else "passphrase of the user certificate"
        why = f"the {kind} of {endpoint.name} is not known on this computer"
        raise EndpointError("Cannot connect", where=reference, why=why, fix="Enter it", code="secret")
    return value


async def in_thread(function: Callable[[], str]) -> str:
    """Call it in a thread of its own, which nobody waits for when this is cancelled: a locked keyring may take its time."""
    import asyncio

    loop = asyncio.get_running_loop()
    future: asyncio.Future[str] = loop.create_future()

    def done(value: str, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)

    def work() -> None:
        value, failure = "", None
        try:
            value = function()
        except Exception as error:  # raised again where it is waited for
            failure = error
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(done, value, failure)

    Thread(target=work, name="tagloom-secret", daemon=True).start()
    return await future

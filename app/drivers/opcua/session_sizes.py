"""How many operations one request of a service may hold: what the project says, the server publishes, and running into it has shown.

A published OperationLimit cannot be trusted (some servers refuse what they promise), so a request refused for its size is halved, and the
size is kept, also for the sessions to come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Literal, get_args

from app.drivers.base import Learned

Service = Literal["read", "browse", "translate", "monitor"]

TOO_LARGE: Final = frozenset({0x80100000, 0x80B80000, 0x80B90000, 0x80080000, 0x80800000})
"""BadTooManyOperations, BadRequestTooLarge, BadResponseTooLarge, BadEncodingLimitsExceeded, BadTcpMessageTooLarge."""


class Sizes:
    """Of one session.

    Attributes:
        found: Service → operations per request, as found by being refused more, in this session and before; empty while nothing was.
    """

    def __init__(self, ceiling: int, learned: Learned, tell: Callable[[Learned], None]) -> None:
        names: tuple[Service, ...] = get_args(Service)
        self.found = {name: max(1, learned.limits[name]) for name in names if name in learned.limits}
        self._sizes: dict[Service, int] = {name: min(ceiling, self.found.get(name, ceiling)) for name in names}
        self._tell = tell
        self._under_way: dict[object, tuple[int, Service]] = {}

    def __getitem__(self, service: Service) -> int:
        return self._sizes[service]

    def publish(self, service: Service, published: int) -> None:
        """Keep to an OperationLimit; 0 is "not stated"."""
        if published > 0:
            self._sizes[service] = min(self._sizes[service], published)

    def halve(self, service: Service, refused: int) -> None:
        """So many operations were too many. Of one nothing is left to halve."""
        size = max(1, refused // 2)
        if refused > 1 and size < self._sizes[service]:
            self._sizes[service] = self.found[service] = size
            self._tell(Learned(limits={service: size}))

    @contextmanager
    def asking(self, service: Service, count: int) -> Iterator[None]:
        """While a request with so many operations is under way."""
        ticket = object()
        self._under_way[ticket] = count, service
        try:
            yield
        finally:
            del self._under_way[ticket]

    def hung_up(self) -> None:
        """The server ended the connection because a message was too large. It does not say which: the largest is taken for it."""
        if self._under_way:
            count, service = max(self._under_way.values())
            self.halve(service, count)

"""Standard output: data only, as UTF-8 with LF on every system, whole lines at a time."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable


class ReaderGoneError(Exception):
    """Whoever read our output has closed it. No failure: nobody is left to tell."""


def put_lines(lines: Iterable[str]) -> None:
    """Write lines and flush.

    Raises:
        ReaderGoneError: The reader has gone; nothing more can be written.
    """
    text = "".join(f"{line}\n" for line in lines)
    if not text:
        return
    try:
        stream = getattr(sys.stdout, "buffer", None)
        if stream is None:  # a test's text stream
            sys.stdout.write(text)
        else:
            sys.stdout.flush()
            stream.write(text.encode("utf-8", "backslashreplace"))
        sys.stdout.flush()
    except OSError as error:
        # EINVAL is what Windows says of a pipe whose other end is closed.
        if isinstance(error, BrokenPipeError) or error.errno in (errno.EPIPE, errno.EINVAL):
            _forget_stdout()
            raise ReaderGoneError from error
        raise


def is_terminal() -> bool:
    return sys.stdout.isatty()


def _forget_stdout() -> None:
    """What is still buffered would be written at exit, and fail again with a message."""
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123  a descriptor is all that is wanted
        os.dup2(nowhere.fileno(), sys.stdout.fileno())

"""What both ends raise where a frame is none."""

from __future__ import annotations


class FrameError(ValueError):
    """What came is not a frame of ours. The sender cannot be trusted any more and is ended."""


class TooMuchError(FrameError):
    """Larger than one frame may be; parts of it may not be."""

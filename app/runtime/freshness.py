"""When a value must no longer be taken for what the device has now. Pure: times go in, a judgement comes out.

All times are ``Clock.monotonic_s`` seconds, so that a wall clock set forward or back changes nothing. A value that merely has not
changed is live as long as the endpoint gives signs of life, as a subscription reports changes only.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

ASK_AFTER_S: Final = 1.0
"""After so much silence the connector asks the device for a sign of life."""
ANSWER_S: Final = 2.0
"""So long the device may take for it, beside two round trips."""
POLLS_MISSED: Final = 3
POLL_SLACK_S: Final = 0.25
"""What batching in the connector, the pipe and the 50 ms timer of the window may add."""


def silence_allowed_s(round_trip_s: float) -> float:
    """How long nothing at all may come from a connected endpoint before it is stale."""
    return ASK_AFTER_S + ANSWER_S + 2 * max(round_trip_s, 0.0)


def is_silent(now_s: float, life_s: float, round_trip_s: float) -> bool:
    """Whether a connected endpoint whose last sign of life came at ``life_s`` is stale."""
    return now_s - life_s > silence_allowed_s(round_trip_s)


def poll_overdue(age_s: npt.NDArray[np.float64], interval_ms: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which polled values were not refreshed for three intervals; only for drivers that poll (``Spec.polls``)."""
    return np.asarray(age_s > POLLS_MISSED * interval_ms / 1000 + POLL_SLACK_S)

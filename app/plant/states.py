"""The states that machines of the line show, with the numbers they have on the wire."""

from enum import IntEnum


class MachineState(IntEnum):
    """A short form of the PackML states (ANSI/ISA-TR88.00.02)."""

    STOPPED = 0
    STARTING = 1
    EXECUTE = 2
    HOLDING = 3
    HELD = 4
    ABORTED = 5


class ValveState(IntEnum):
    """What the feedback switches of a valve say."""

    CLOSED = 0
    OPEN = 1
    FAULT = 2


class CleaningPhase(IntEnum):
    """Steps of one cleaning-in-place programme, in their order."""

    IDLE = 0
    PRE_RINSE = 1
    CAUSTIC = 2
    INTERMEDIATE_RINSE = 3
    ACID = 4
    FINAL_RINSE = 5


def machine_state(run: bool, jam: bool, speed: float, target: float) -> MachineState:
    """The state that follows from what a machine is told, and what it does; `speed` and `target` in one unit."""
    if jam:
        return MachineState.ABORTED
    if not run:
        return MachineState.HOLDING if speed > 1.0 else MachineState.HELD
    if target <= 0.0:
        return MachineState.STOPPED
    return MachineState.EXECUTE if abs(speed - target) < 0.02 * target else MachineState.STARTING

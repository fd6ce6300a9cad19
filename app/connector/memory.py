"""The cap on a connector's memory, so that a hostile answer ends this process and not the laptop. Set by the process itself, at its start.

Linux: RLIMIT_AS, the address space. Windows: a Job Object that holds this process alone, with a limit on committed memory
(JOB_OBJECT_LIMIT_PROCESS_MEMORY). macOS keeps to neither; there, and below the cap everywhere, the supervisor watches what
``Memory`` frames report.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Callable
from functools import cache

from app.connector.command import DEFAULT_MEMORY_MB, MEMORY_VARIABLE

_log = logging.getLogger(__name__)


def limit_memory() -> None:
    """2 GiB by default: a session with asyncua and numpy reserves about 0.5 GiB and uses 0.1."""
    text = os.environ.get(MEMORY_VARIABLE, "")
    megabytes = int(text) if text.isdecimal() else DEFAULT_MEMORY_MB
    if not megabytes:
        return
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (megabytes * 2**20, resource.getrlimit(resource.RLIMIT_AS)[1]))
    elif sys.platform == "win32":
        try:
            _enter_job(megabytes * 2**20)
        except OSError as error:
            _log.warning("no cap on memory: %s", error)


def collect() -> None:
    """What an ended session leaves: parts that refer to one another in circles, for which a collector tuned for traffic does not look."""
    gc.collect()
    give_back()


def give_back() -> None:
    """Hand what is free back to the system, in about a millisecond. glibc keeps it by itself, after a burst megabytes; others do not."""
    if sys.platform == "linux" and (trim := _trim()) is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    import ctypes

    return getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    _EXTENDED_LIMITS = 9  # JobObjectExtendedLimitInformation
    _PROCESS_MEMORY = 0x00000100  # JOB_OBJECT_LIMIT_PROCESS_MEMORY

    class _BasicLimits(ctypes.Structure):
        """JOBOBJECT_BASIC_LIMIT_INFORMATION of winnt.h."""

        _fields_ = (
            ("PerProcessUserTimeLimit", wintypes.LARGE_INTEGER),
            ("PerJobUserTimeLimit", wintypes.LARGE_INTEGER),
            ("LimitFlags", wintypes.DWORD),
            ("MinimumWorkingSetSize", ctypes.c_size_t),
            ("MaximumWorkingSetSize", ctypes.c_size_t),
            ("ActiveProcessLimit", wintypes.DWORD),
            ("Affinity", ctypes.c_size_t),
            ("PriorityClass", wintypes.DWORD),
            ("SchedulingClass", wintypes.DWORD),
        )

    class _ExtendedLimits(ctypes.Structure):
        """JOBOBJECT_EXTENDED_LIMIT_INFORMATION; the counters of IO_COUNTERS are six times 64 bits."""

        _fields_ = (
            ("BasicLimitInformation", _BasicLimits),
            ("IoInfo", ctypes.c_ulonglong * 6),
            ("ProcessMemoryLimit", ctypes.c_size_t),
            ("JobMemoryLimit", ctypes.c_size_t),
            ("PeakProcessMemoryUsed", ctypes.c_size_t),
            ("PeakJobMemoryUsed", ctypes.c_size_t),
        )

    def _enter_job(limit_bytes: int) -> None:
        """Put this process into a job with the limit. Its handle stays open until the process ends, and the job with it.

        Raises:
            OSError: Windows refused.
        """
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.CreateJobObjectW.restype = wintypes.HANDLE
        kernel.GetCurrentProcess.restype = wintypes.HANDLE
        kernel.SetInformationJobObject.argtypes = (wintypes.HANDLE, ctypes.c_int, ctypes.c_void_p, wintypes.DWORD)
        kernel.AssignProcessToJobObject.argtypes = (wintypes.HANDLE, wintypes.HANDLE)
        limits = _ExtendedLimits()
        limits.BasicLimitInformation.LimitFlags = _PROCESS_MEMORY
        limits.ProcessMemoryLimit = limit_bytes
        job = kernel.CreateJobObjectW(None, None)
        if (
            not job
            or not kernel.SetInformationJobObject(job, _EXTENDED_LIMITS, ctypes.byref(limits), ctypes.sizeof(limits))
            or not kernel.AssignProcessToJobObject(job, kernel.GetCurrentProcess())
        ):
            raise ctypes.WinError(ctypes.get_last_error())

"""A process that only counts lets others go first on the core they share."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from contextlib import suppress
from pathlib import Path

SLICE = 50_000_000
"""Nanoseconds; others have 3 ms, and whoever asks for less goes first."""
_CALLS = {"x86_64": 314, "aarch64": 274}
_ATTRIBUTES = struct.Struct("=IIQiIQQQ")


def give_way() -> None:
    """Long slices at the least weight; raises `OSError` where the kernel refuses.

    Linux lets who runs finish its slice before who has just been woken (RUN_TO_PARITY), and sessions of their
    own are weighed as groups: nice alone changes nothing between them. sched_setattr(2), sched(7).
    """
    number = _CALLS.get(platform.machine())
    if platform.system() != "Linux" or number is None:
        return
    if os.getsid(0) != os.getpid():
        os.setsid()
    with suppress(FileNotFoundError):
        Path("/proc/self/autogroup").write_text("19", encoding="ascii")
    asked = _ATTRIBUTES.pack(_ATTRIBUTES.size, 0, 0, 19, 0, SLICE, 0, 0)
    kernel = ctypes.CDLL(None, use_errno=True)
    # Kernels before 6.12 do not know slices of one's own, and ignore them.
    if (
        kernel.syscall(number, 0, ctypes.create_string_buffer(asked), 0)
        and ctypes.get_errno() != errno.ENOSYS
    ):
        raise OSError(ctypes.get_errno(), "sched_setattr")

"""Starting the supervisor in the background, and whether one is alive."""

import os
import subprocess
import sys
from typing import Any

_STARTED: list["subprocess.Popen[bytes]"] = []


def start_supervisor() -> None:
    """Start a supervisor that outlives this process."""
    detached: dict[str, Any] = (
        {"creationflags": 0x00000008 | 0x00000200} if sys.platform == "win32" else {"start_new_session": True}
    )
    environment = {k: v for k, v in os.environ.items() if k != "QT_QPA_PLATFORM"}
    started = subprocess.Popen(
        [sys.executable, "-m", "qlab.service.supervisor"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        **detached,
    )
    # It is meant to outlive this process; held, so that nobody complains that it is still running.
    _STARTED.append(started)


def alive(pid: int) -> bool:
    """Return whether a process lives; where nobody can say, that it does."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

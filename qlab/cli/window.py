"""`qlab` and `qlab open`: the window, or, with no display, the demonstration. Nothing else is loaded for it."""

import gc
import os
import sys
from collections.abc import Sequence
from importlib.metadata import distribution
from pathlib import Path

_FRESH = "--fresh"


def is_wanted(arguments: Sequence[str]) -> bool:
    """Tell whether a command line asks for the window and for nothing that the other commands must explain."""
    if arguments[:1] == ["open"]:
        return not any(argument.startswith("-") for argument in arguments[1:])
    return all(argument == _FRESH for argument in arguments)


def open_window(arguments: Sequence[str]) -> int:
    """Open the window, with files and folders to look at or with default settings; return the exit code."""
    files = list(arguments[1:]) if arguments[:1] == ["open"] else []
    if not files and arguments[:1] != ["open"] and not _has_display():
        from qlab.cli.demonstration import demonstrate

        demonstrate()
        return 0
    # What is made until the window stands stays: to look for garbage in it meanwhile takes a tenth of the start.
    gc.disable()
    # The window is qlab's own: to look through all that is installed for it would take longer than to load it.
    (window,) = distribution("qlab-metrology").entry_points.select(group="qlab.window", name="qt")
    fresh = [_FRESH] if _FRESH in arguments else []
    return int(window.load()([*fresh, *(str(Path(file).absolute()) for file in files)]))


def _has_display() -> bool:
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))

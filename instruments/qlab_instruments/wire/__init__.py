"""Lines to devices: VISA, raw TCP and serial ports, behind one small interface."""

from qlab_instruments.wire.lines import Line, Settings, open_line

__all__ = ["Line", "Settings", "open_line"]

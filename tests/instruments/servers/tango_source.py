"""A Tango device, a microwave source: `python tango_source.py NAME -nodb -port N -dlist lab/mw/1`."""

import os
import threading
from enum import IntEnum

from tango import AttrQuality, AttrWriteType, DevState
from tango.server import Device, attribute, command

UNIT = os.environ.get("EGU", "GHz")
MOST = float(os.environ.get("MOST", "20"))
SCALE = {"GHz": 1.0, "MHz": 1e3}[UNIT]


class Mode(IntEnum):
    """What it does."""

    CW = 0
    SWEEP = 1


class Source(Device):
    """Tunes in 50 ms, during which it says that it moves; read meanwhile, it tells where it was."""

    def init_device(self):
        super().init_device()
        self.told = self.at = SCALE
        self.level, self.radiating, self.mode = -30.0, False, Mode.CW
        self.set_state(DevState.OFF)

    @attribute(
        dtype=float,
        unit=UNIT,
        min_value=0.001 * SCALE,
        max_value=MOST * SCALE,
        access=AttrWriteType.READ_WRITE,
    )
    def Frequency(self):
        return self.at

    @Frequency.write
    def Frequency(self, value):
        before = self.get_state()
        self.told = value
        self.set_state(DevState.MOVING)
        threading.Timer(0.05, self.arrive, (before,)).start()

    def arrive(self, before):
        self.at = self.told
        self.set_state(DevState.FAULT if self.at == 13 * SCALE else before)
        self.set_status("The oscillator has lost its lock." if self.at == 13 * SCALE else "As it should be.")

    @attribute(
        dtype=float,
        unit="dBm",
        min_value=-120,
        max_value=20,
        access=AttrWriteType.READ_WRITE,
        doc="At the output",
    )
    def Power(self):
        return self.level

    @Power.write
    def Power(self, value):
        self.level = value

    @attribute(dtype=Mode, access=AttrWriteType.READ_WRITE)
    def Mode(self):
        return self.mode

    @Mode.write
    def Mode(self, value):
        self.mode = Mode(value)

    @attribute(dtype=float, unit="K")
    def Temperature(self):
        return 300.0

    @attribute(dtype=float, unit="V")
    def Broken(self):
        return 0.0, 0.0, AttrQuality.ATTR_INVALID

    @attribute(dtype=str)
    def Label(self):
        return "42"

    @attribute(dtype=(float,), max_dim_x=8, unit="V")
    def Trace(self):
        return [1.0, 2.0, 3.0]

    @command
    def On(self):
        self.set_state(DevState.ON)

    @command
    def Off(self):
        self.set_state(DevState.OFF)


if __name__ == "__main__":
    Source.run_server()

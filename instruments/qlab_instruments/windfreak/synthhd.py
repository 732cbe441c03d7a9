"""Windfreak SynthHD: a microwave source on a serial port."""

from typing import Unpack

from qlab.instrument import Knob, Switch
from qlab_instruments.messages import MessageInstrument, Messages


class SynthHD(MessageInstrument):
    """One output of a SynthHD; it speaks in MHz and confirms nothing, so that every value is read back."""

    title = "Windfreak SynthHD"
    dialogue = "windfreak.synthhd"
    vendor = "Windfreak Technologies"
    who = "+"
    identifies = r"SynthHD"
    done = complaint = ""
    speaks = {"ending": "", "baud": 115200}

    frequency = Knob("Hz", get="f?", set="f{:.8f}", scale=1e6, limits=(10e6, 24e9), tolerance=1.0)
    power = Knob("dBm", get="W?", set="W{:.3f}", limits=(-60.0, 20.0), tolerance=0.002)
    on = Switch(get="h?", set="h{:d}", safe=False, doc="RF output")
    locked = Switch(get="p", settable=False, doc="Phase lock")
    temperature = Knob("degC", get="z", settable=False)

    def __init__(self, address: str, *, channel: str = "A", **options: Unpack[Messages]) -> None:
        super().__init__(address, **options)
        self.channel = channel

    def open(self) -> None:
        """Connect, and choose the output."""
        super().open()
        self.send("C0" if self.channel == "A" else "C1")

    def identity(self) -> dict[str, str]:
        """Return what the model, the serial number and the firmware are."""
        model, serial, firmware = (self.query(text) for text in ("+", "-", "v0"))
        return {"vendor": self.vendor, "model": model, "serial": serial, "firmware": firmware}

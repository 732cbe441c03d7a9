"""Keysight 34461A: a digital multimeter."""

from qlab.instrument import Knob
from qlab_instruments.messages import MessageInstrument


class Multimeter34461A(MessageInstrument):
    """A multimeter that measures direct voltage."""

    title = "Keysight 34461A"
    dialogue = "keysight.34461a"
    vendor = "Keysight"
    identifies = r"344(1[01]|[67][015])A"
    prepare = ("CONF:VOLT:DC AUTO",)

    voltage = Knob("V", get="READ?", settable=False, doc="Measured")
    integration = Knob(
        "1",
        get="VOLT:DC:NPLC?",
        set="VOLT:DC:NPLC {:g}",
        choices=(0.02, 0.2, 1, 10, 100),
        doc="In cycles of the mains",
    )

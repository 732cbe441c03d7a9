"""Keithley 2400: a source of voltage that knows its current."""

from qlab.instrument import Knob, Switch
from qlab_instruments.messages import MessageInstrument


class Keithley2400(MessageInstrument):
    """A source-measure unit that sources voltage within a compliance current. Its reading needs its output on."""

    title = "Keithley 2400"
    dialogue = "keithley.2400"
    vendor = "Keithley"
    identifies = r"MODEL 24[0-4]\d"
    joined = False
    prepare = (":SOUR:FUNC VOLT", ":SENS:FUNC 'CURR'", ":FORM:ELEM VOLT,CURR")

    voltage = Knob("V", get=":SOUR:VOLT:LEV?", set=":SOUR:VOLT:LEV {:.6g}", limits=(-210.0, 210.0), safe=0.0)
    compliance = Knob("A", get=":SENS:CURR:PROT?", set=":SENS:CURR:PROT {:.6g}", limits=(1e-9, 1.05))
    on = Switch(get=":OUTP?", set=":OUTP {:d}", safe=False)
    current = Knob("A", get=":READ?", part=1, settable=False, doc="Measured")

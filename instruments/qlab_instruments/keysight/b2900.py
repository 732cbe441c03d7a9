"""Keysight B2900: source-measure units."""

from qlab.instrument import Knob, Switch
from qlab_instruments.messages import MessageInstrument


class B2900(MessageInstrument):
    """Channel 1 of a source-measure unit that sources voltage within a compliance current.

    By itself it switches its output on for every measurement: that is taken from it, so that off stays off.
    """

    title = "Keysight B2900"
    dialogue = "keysight.b2900"
    vendor = "Keysight"
    identifies = r"B29[0-6]\d"
    prepare = (":OUTP1:ON:AUTO 0", ":SOUR1:FUNC:MODE VOLT")

    voltage = Knob("V", get=":SOUR1:VOLT?", set=":SOUR1:VOLT {:.9g}", limits=(-210.0, 210.0), safe=0.0)
    compliance = Knob("A", get=":SENS1:CURR:PROT?", set=":SENS1:CURR:PROT {:.9g}", limits=(1e-9, 3.03))
    on = Switch(get=":OUTP1?", set=":OUTP1 {:d}", safe=False)
    current = Knob("A", get=":MEAS:CURR? (@1)", settable=False, doc="Measured")
    measured_voltage = Knob("V", get=":MEAS:VOLT? (@1)", settable=False, doc="Measured")

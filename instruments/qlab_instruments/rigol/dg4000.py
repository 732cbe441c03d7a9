"""Rigol DG1000Z and DG4000: function generators."""

from qlab.instrument import Choice, Knob, Switch
from qlab_instruments.messages import MessageInstrument


class DG4000(MessageInstrument):
    """Channel 1 of a function generator; as a source of voltage, its offset."""

    title = "Rigol DG4000"
    dialogue = "rigol.dg4000"
    vendor = "Rigol"
    identifies = r"DG(4\d{3}|10\d\dZ|8\d\d)"
    joined = False

    frequency = Knob("Hz", get=":SOUR1:FREQ?", set=":SOUR1:FREQ {:.6f}", limits=(1e-6, 160e6))
    amplitude = Knob(
        "V", get=":SOUR1:VOLT?", set=":SOUR1:VOLT {:.4f}", limits=(1e-3, 10.0), doc="Peak to peak, 50 Ω"
    )
    voltage = Knob("V", get=":SOUR1:VOLT:OFFS?", set=":SOUR1:VOLT:OFFS {:.4f}", limits=(-5.0, 5.0), safe=0.0)
    on = Switch(get=":OUTP1?", set=":OUTP1 {}", words=("OFF", "ON"), safe=False)
    shape = Choice(
        {"sine": "SIN", "square": "SQU", "ramp": "RAMP", "pulse": "PULS", "noise": "NOIS"},
        get=":SOUR1:FUNC?",
        set=":SOUR1:FUNC {}",
    )

"""Keysight 33500B and 33600A: function generators."""

from qlab.instrument import Choice, Knob, Switch
from qlab_instruments.messages import MessageInstrument


class Generator33600A(MessageInstrument):
    """Channel 1 of a function generator; as a source of voltage, its offset. Levels are those into 50 Ω."""

    title = "Keysight 33600A"
    vendor = "Keysight"
    dialogue = "keysight.33600a"
    identifies = r"33[56]\d\d[AB]"
    expects = {"SOUR1:VOLT:UNIT?": "^VPP$"}

    frequency = Knob("Hz", get="SOUR1:FREQ?", set="SOUR1:FREQ {:.9g}", limits=(1e-6, 120e6))
    amplitude = Knob("V", get="SOUR1:VOLT?", set="SOUR1:VOLT {:.5g}", limits=(1e-3, 10.0), doc="Peak to peak")
    voltage = Knob("V", get="SOUR1:VOLT:OFFS?", set="SOUR1:VOLT:OFFS {:.5g}", limits=(-5.0, 5.0), safe=0.0)
    phase = Knob(
        "rad", get="SOUR1:PHAS?", set="SOUR1:PHAS {:.4f}", limits=(-6.28, 6.28), scale=0.017453292519943295
    )
    on = Switch(get="OUTP1?", set="OUTP1 {:d}", safe=False)
    shape = Choice(
        {
            "sine": "SIN",
            "square": "SQU",
            "ramp": "RAMP",
            "pulse": "PULS",
            "noise": "NOIS",
            "dc": "DC",
            "arbitrary": "ARB",
        },
        get="SOUR1:FUNC?",
        set="SOUR1:FUNC {}",
    )

"""Red Pitaya STEMlab: a generator and slow inputs, through its SCPI server."""

from typing import Any

from qlab.instrument import Choice, Knob, Quantity, Switch
from qlab_instruments.messages import MessageInstrument


class STEMlab(MessageInstrument):
    """Generator channel 1, slow input 0 as a voltmeter, slow output 0 as a source of voltage (0 V to 1.8 V)."""

    title = "Red Pitaya STEMlab"
    dialogue = "red_pitaya.stemlab"
    vendor = "Red Pitaya"
    identifies = r"REDPITAYA"
    done = complaint = ""
    speaks = {"terminator": "\r\n"}

    frequency = Knob(
        "Hz", get="SOUR1:FREQ:FIX?", set="SOUR1:FREQ:FIX {:.3f}", limits=(1.0, 50e6), tolerance=1.0
    )
    amplitude = Knob(
        "V", get="SOUR1:VOLT?", set="SOUR1:VOLT {:.4f}", limits=(0.0, 1.0), safe=0.0, tolerance=1e-3
    )
    on = Switch(get="OUTPUT1:STATE?", set="OUTPUT1:STATE {}", words=("OFF", "ON"), safe=False)
    shape = Choice(
        {"sine": "SINE", "square": "SQUARE", "triangle": "TRIANGLE", "dc": "DC"},
        get="SOUR1:FUNC?",
        set="SOUR1:FUNC {}",
    )
    voltage = Knob("V", get="ANALOG:PIN? AOUT0", set="ANALOG:PIN AOUT0,{:.4f}", limits=(0.0, 1.8), safe=0.0)
    input_voltage = Knob("V", get="ANALOG:PIN? AIN0", settable=False, doc="Slow input 0")

    def tell(self, knob: Quantity[Any], value: float | bool) -> None:
        """Set a knob; an output that is switched on stands still until its generator is triggered."""
        super().tell(knob, value)
        if knob.name == "on" and value:
            self.say("SOUR1:TRIG:INT")

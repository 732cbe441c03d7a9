"""SRS SG382, SG384 and SG386: microwave sources."""

from qlab.instrument import Choice, Knob, Switch
from qlab_instruments.messages import MessageInstrument


class SG380(MessageInstrument):
    """A synthesiser with its type N output in the role of a microwave source; BNC output below 62.5 MHz."""

    title = "SRS SG380"
    dialogue = "srs.sg380"
    vendor = "Stanford Research Systems"
    identifies = r"SG38[246]\b"
    complaint = "LERR?"
    models = {
        "SG382": {"frequency": (950e3, 2.025e9)},
        "SG384": {"frequency": (950e3, 4.05e9)},
        "SG386": {"frequency": (950e3, 6.075e9)},
    }

    frequency = Knob("Hz", get="FREQ?", set="FREQ {:.6f}", limits=(950e3, 6.075e9), tolerance=1e-3)
    power = Knob(
        "dBm", get="AMPR?", set="AMPR {:.2f}", limits=(-110.0, 16.5), tolerance=0.01, doc="Type N output"
    )
    on = Switch(get="ENBR?", set="ENBR {:d}", safe=False, doc="Type N output")
    phase = Knob("rad", get="PHAS?", set="PHAS {:.1f}", limits=(-6.29, 6.29), scale=0.017453292519943295)
    low_power = Knob("dBm", get="AMPL?", set="AMPL {:.2f}", limits=(-47.0, 13.0), doc="BNC output")
    low_on = Switch(get="ENBL?", set="ENBL {:d}", safe=False, doc="BNC output")
    modulation_on = Switch(get="MODL?", set="MODL {:d}", doc="Modulation")
    modulation = Choice(
        {"AM": "0", "FM": "1", "phase": "2", "sweep": "3", "pulse": "4", "blank": "5", "IQ": "6"},
        get="TYPE?",
        set="TYPE {}",
    )

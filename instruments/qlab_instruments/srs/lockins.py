"""SRS SR830 and SR860: lock-in amplifiers."""

from qlab.errors import InstrumentError
from qlab.instrument import Choice, Knob
from qlab_instruments.messages import MessageInstrument

_DEGREE = 0.017453292519943295
_STEPS = ("1", "2", "5")


def _scale(powers: range, unit: str, first: int, count: int) -> dict[str, str]:
    """Return the 1-2-5 ladder of a front panel: its names, and the number of each."""
    names = [f"{step}e{power} {unit}" for power in powers for step in _STEPS][first : first + count]
    return {name: str(i) for i, name in enumerate(names)}


class SR830(MessageInstrument):
    """A lock-in amplifier. It has no *OPC?: the status byte asked for afterwards tells that it has acted."""

    title = "SRS SR830"
    dialogue = "srs.sr830"
    vendor = "Stanford Research Systems"
    identifies = r"SR8[13]0"
    done = ""
    complaint = "*ESR?"
    prepare = ("*CLS",)

    x = Knob("V", get="OUTP? 1", settable=False, doc="In phase")
    y = Knob("V", get="OUTP? 2", settable=False, doc="In quadrature")
    magnitude = Knob("V", get="OUTP? 3", settable=False)
    frequency = Knob("Hz", get="FREQ?", set="FREQ {:.4f}", limits=(1e-3, 102e3), doc="Of the reference")
    amplitude = Knob(
        "V", get="SLVL?", set="SLVL {:.3f}", limits=(0.004, 5.0), safe=0.004, doc="Sine output, rms"
    )
    phase = Knob("rad", get="PHAS?", set="PHAS {:.2f}", limits=(-6.28, 12.73), scale=_DEGREE)
    sensitivity = Choice(_scale(range(-9, 1), "V", 1, 27), get="SENS?", set="SENS {}")
    time_constant = Choice(
        {f"{s}e{p} s": str(2 * (p + 5) + (s == "3")) for p in range(-5, 5) for s in "13"},
        get="OFLT?",
        set="OFLT {}",
    )
    voltage = Knob(
        "V", get="AUXV? 1", set="AUXV 1,{:.3f}", limits=(-10.5, 10.5), safe=0.0, doc="Auxiliary output 1"
    )

    def _hear_complaints(self, command: str) -> None:
        """Read the status byte once: reading clears it."""
        status = int(float(self.query(self.complaint)))
        words = {
            2: "its input queue overflowed",
            4: "the value is out of range",
            5: "it does not know the command",
        }
        said = [text for bit, text in words.items() if status >> bit & 1]
        if said:
            raise InstrumentError(
                f"{self.name} did not take {command!r}: {', '.join(said)}.", "Check the driver."
            )


class SR860(SR830):
    """A lock-in amplifier up to 500 kHz."""

    title = "SRS SR860"
    dialogue = "srs.sr860"
    identifies = r"SR86[05]A?"
    done = "*OPC?"

    x = Knob("V", get="OUTP? 0", settable=False, doc="In phase")
    y = Knob("V", get="OUTP? 1", settable=False, doc="In quadrature")
    magnitude = Knob("V", get="OUTP? 2", settable=False)
    frequency = Knob("Hz", get="FREQ?", set="FREQ {:.6f}", limits=(1e-3, 500e3), doc="Of the reference")
    amplitude = Knob(
        "V", get="SLVL?", set="SLVL {:.9f}", limits=(1e-9, 2.0), safe=1e-9, doc="Sine output, rms"
    )
    # The ladder of this one goes down: 0 is 1 V, 27 is 1 nV.
    sensitivity = Choice(
        {name: str(27 - i) for i, name in enumerate([*_scale(range(-9, 0), "V", 0, 27), "1e0 V"])},
        get="SCAL?",
        set="SCAL {}",
    )
    time_constant = Choice(
        {f"{s}e{p} s": str(2 * (p + 6) + (s == "3")) for p in range(-6, 5) for s in "13"},
        get="OFLT?",
        set="OFLT {}",
    )
    voltage = Knob(
        "V", get="AUXV? 0", set="AUXV 0,{:.3f}", limits=(-10.5, 10.5), safe=0.0, doc="Auxiliary output 1"
    )

"""Rohde & Schwarz signal generators: SMB100A and SMIQ."""

from qlab.instrument import Knob, Switch
from qlab_instruments.messages import MessageInstrument


class SMB100A(MessageInstrument):
    """A signal generator; its power is read in dBm, which is seen to when it is opened."""

    title = "R&S SMB100A"
    dialogue = "rohde_schwarz.smb100a"
    vendor = "Rohde & Schwarz"
    identifies = r"SM[AB]1?00"
    expects = {"UNIT:POW?": "^DBM$"}
    bounds = ("frequency", "power")

    frequency = Knob(
        "Hz", get="SOUR:FREQ:CW?", set="SOUR:FREQ:CW {:.3f}", limits=(9e3, 12.75e9), tolerance=0.01
    )
    power = Knob(
        "dBm", get="SOUR:POW:LEV:IMM:AMPL?", set="SOUR:POW:LEV:IMM:AMPL {:.2f}", limits=(-145.0, 30.0)
    )
    on = Switch(get="OUTP:STAT?", set="OUTP:STAT {:d}", safe=False, doc="RF output")
    phase = Knob(
        "rad", get="SOUR:PHAS?", set="SOUR:PHAS {:.2f}", limits=(-12.56, 12.56), scale=0.017453292519943295
    )


class SMIQ(SMB100A):
    """A vector signal generator."""

    title = "R&S SMIQ"
    dialogue = "rohde_schwarz.smiq"
    identifies = r"SMIQ0[2346]"
    models = {
        "SMIQ02": {"frequency": (300e3, 2.2e9)},
        "SMIQ03": {"frequency": (300e3, 3.3e9)},
        "SMIQ04": {"frequency": (300e3, 4.4e9)},
        "SMIQ06": {"frequency": (300e3, 6.4e9)},
    }

    frequency = Knob(
        "Hz", get="SOUR:FREQ:CW?", set="SOUR:FREQ:CW {:.1f}", limits=(300e3, 6.4e9), tolerance=0.1
    )
    power = Knob(
        "dBm", get="SOUR:POW:LEV:IMM:AMPL?", set="SOUR:POW:LEV:IMM:AMPL {:.1f}", limits=(-144.0, 16.0)
    )
    vector = Switch(get="SOUR:DM:IQ:STAT?", set="SOUR:DM:IQ:STAT {:d}", safe=False, doc="External I and Q")

"""Thorlabs ITC4000 and LDC4000: laser diode controllers."""

from typing import Any, Unpack

from qlab.errors import UsageError
from qlab.instrument import Knob, Quantity, Switch
from qlab_instruments.messages import MessageInstrument, Messages


class ITC4000(MessageInstrument):
    """A laser diode controller; power at the sample follows from its current: threshold (A) and slope (W/A).

    Without a slope the power cannot be set; its limit is that of the current.
    """

    title = "Thorlabs ITC4000"
    dialogue = "thorlabs.itc4000"
    rehearses = {"threshold": 0.03, "slope": 0.5}
    vendor = "Thorlabs"
    identifies = r"(ITC|LDC|CLD)\d{4}"

    current = Knob(
        "A", get="SOUR:CURR?", set="SOUR:CURR {:.6f}", limits=(0.0, 20.0), safe=0.0, ramp=(0.05, 0.01)
    )
    limit = Knob("A", get="SOUR:CURR:LIM?", settable=False, doc="Set at the device")
    on = Switch(get="OUTP?", set="OUTP {:d}", safe=False, doc="Laser")
    cooling = Switch(get="OUTP2?", set="OUTP2 {:d}", doc="Temperature control")
    temperature = Knob("degC", get="SOUR2:TEMP?", set="SOUR2:TEMP {:.3f}", limits=(5.0, 45.0))
    power = Knob("W", limits=(0.0, 100.0), safe=0.0, doc="At the sample, by calibration")

    def __init__(
        self, address: str, *, threshold: float = 0.0, slope: float = 0.0, **options: Unpack[Messages]
    ) -> None:
        super().__init__(address, **options)
        self.threshold, self.slope = threshold, slope

    def open(self) -> None:
        """Connect, and keep to the limit set at the device."""
        super().open()
        most = float(self.ask(type(self).limit))
        self.model_limits = {
            "current": (0.0, most),
            "power": (0.0, max(0.0, (most - self.threshold) * self.slope)),
        }

    def ask(self, knob: Quantity[Any]) -> float | bool:
        """Ask for a knob; the power follows from the current."""
        if knob.name != "power":
            return super().ask(knob)
        return max(0.0, (float(super().ask(type(self).current)) - self.threshold) * self.slope)

    def tell(self, knob: Quantity[Any], value: float | bool) -> None:
        """Set a knob; the power by the current that gives it."""
        if knob.name != "power":
            super().tell(knob, value)
        elif value == 0:
            super().tell(type(self).current, 0.0)
        elif self.slope <= 0:
            raise UsageError(
                f"{self.name} has no calibration of its power.", "Give threshold and slope as options."
            )
        else:
            super().tell(type(self).current, self.threshold + float(value) / self.slope)

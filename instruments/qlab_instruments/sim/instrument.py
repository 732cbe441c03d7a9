"""What simulated instruments have in common: their knobs are lines of the world."""

from typing import Any, ClassVar, Protocol

from qlab.instrument import Instrument, Quantity


class Lines(Protocol):
    """A world with lines that instruments write."""

    lines: dict[str, float]


class SimulatedInstrument(Instrument):
    """An instrument whose knob `x` is the world's line `<line>.x`."""

    line: ClassVar[str] = ""
    vendor = "qlab"
    simulated = True

    def __init__(self, world: Any) -> None:
        super().__init__()
        self.world = world
        for name, knob in self.knobs().items():
            if knob.settable:
                self.world.lines.setdefault(f"{self.line}.{name}", float(knob.safe or 0.0))

    def identity(self) -> dict[str, str]:
        """Return what the instrument is: simulated."""
        from qlab import __version__

        return {"vendor": "qlab", "model": self.title, "serial": "simulated", "firmware": __version__}

    def ask(self, knob: Quantity[Any]) -> float | bool:
        """Read the line."""
        value: float | bool = knob.kind(self.world.lines[f"{self.line}.{knob.name}"])
        return value

    def tell(self, knob: Quantity[Any], value: float | bool) -> None:
        """Write the line."""
        self.world.lines[f"{self.line}.{knob.name}"] = float(value)

"""generic.scan: one or two knobs against any readouts."""

import itertools
import time
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from qlab.bench import Bench
from qlab.errors import UsageError
from qlab.experiment import Blocks, Experiment
from qlab.instrument import Instrument, Quantity
from qlab.limits import check_sweep
from qlab.parameters import Parameters
from qlab.record import Axis, Column, Signal
from qlab.scan import Linear, Values
from qlab.scan import Scan as ScanValues
from qlab.units import Seconds, Unit

AnyQuantity = Annotated[float, Unit("*")]


class ScanParameters(Parameters):
    """Settings of a scan over knobs, named `instrument.knob`."""

    knob: str = Field("microwave.frequency", title="Knob", description="What is stepped: instrument.knob")
    values: ScanValues[AnyQuantity] = Field(
        Linear(2.80e9, 2.83e9, 61), title="Values of the knob", description="In the knob's unit"
    )
    second_knob: str = Field("", title="Second knob", description="Stepped outside the first; empty for none")
    second_values: ScanValues[AnyQuantity] = Field(Values((0.0,)), title="Values of the second knob")
    readouts: str = Field(
        "counter.rate", title="Readouts", description="instrument.knob, separated by commas"
    )
    settings: str = Field(
        "laser.power=20e-6, laser.on=1, microwave.power=-10, microwave.on=1",
        title="Set before",
        description="instrument.knob=value, separated by commas",
    )
    settle_time: Seconds = Field(0.0, title="Settling time", description="Waited after each step")
    fit_model: str = Field("", title="Fit", description="A model of `qlab list fits`; empty for none")
    passes: int = Field(5, title="Passes", ge=1, le=100_000)


class Scan(Experiment[ScanParameters]):
    """Step one or two knobs and read anything at each point.

    Works with every instrument: whatever has knobs can be stepped and read. The second knob is stepped outside the
    first; several passes give an error of the mean.
    Try: microwave.frequency against counter.rate on the simulated NV bench is a CW-ODMR spectrum.
    """

    title = "Scan of knobs"
    group = "Generic"

    def __init__(self, parameters: ScanParameters) -> None:
        super().__init__(parameters)
        self.fit_model = parameters.fit_model.strip()

    def bind(self, bench: Bench) -> None:
        """Find every knob named; raise UsageError for one that is not there."""
        super().bind(bench)
        for name in (*self._stepped(), *self._read(), *self._settings()):
            _find(bench, name)
        for name, scan in self._stepped().items():
            instrument, knob = _find(bench, name)
            check_sweep(instrument, knob.name, scan.values())
        for name, value in self._settings().items():
            instrument, knob = _find(bench, name)
            instrument.check(knob.name, value)

    def run(self) -> Blocks:
        """Yield one row for each point."""
        bench = self._bench()
        for name, value in self._settings().items():
            _set(bench, name, value)
        stepped = self._stepped()
        held: dict[str, float] = {}
        for _ in self.each_pass():
            orders = [scan.values()[scan.played()] for scan in stepped.values()]
            for point in itertools.product(*orders):
                for name, value in zip(stepped, point, strict=True):
                    if held.get(name) != value:
                        _set(bench, name, float(value))
                        held[name] = float(value)
                if self.parameters.settle_time:
                    time.sleep(self.parameters.settle_time)
                yield self._row(bench, dict(zip(stepped, point, strict=True)))

    def uses(self) -> frozenset[str]:
        """Return the instruments whose knobs are stepped, read or set."""
        names = (*self._stepped(), *self._read(), *self._settings())
        return frozenset(_find(self._bench(), name)[0].name for name in names)

    def _row(self, bench: Bench, point: dict[str, float]) -> dict[str, NDArray[Any]]:
        row = {_column(name): np.array([value]) for name, value in point.items()}
        for name in self._read():
            instrument, knob = _find(bench, name)
            row[self._readout(name)] = np.array([float(instrument.read_knob(knob))])
        row["time"] = np.array([bench.now()])
        row["valid"] = np.ones(1, dtype=np.int8)
        return row

    def axes(self) -> tuple[Axis, ...]:
        """Return the stepped knobs, the outer one first."""
        return tuple(
            Axis(
                name=_column(name),
                unit=self._unit(name),
                long_name=name.replace(".", " "),
                values=tuple(float(v) for v in scan.values()),
            )
            for name, scan in self._stepped().items()
        )

    def measured(self) -> tuple[Column, ...]:
        """Return the readouts."""
        return tuple(
            Column(name=self._readout(n), unit=self._unit(n), long_name=n.replace(".", " "))
            for n in self._read()
        )

    def signals(self) -> tuple[Signal, ...]:
        """Return the mean of each readout."""
        return tuple(
            Signal(
                name=f"mean_{self._readout(n)}",
                unit=self._unit(n),
                long_name=n.replace(".", " "),
                of=self._readout(n),
            )
            for n in self._read()
        )

    def estimate(self) -> tuple[int, float]:
        """Return rows and seconds."""
        points = int(np.prod([len(scan) for scan in self._stepped().values()])) * self.parameters.passes
        return points, points * max(self.parameters.settle_time, 0.01)

    def _bench(self) -> Bench:
        if self.bench is None:
            raise UsageError("The experiment is not bound to a bench.", "Call bind(bench) first.")
        return self.bench

    def _unit(self, name: str) -> str:
        return _find(self.bench, name)[1].unit if self.bench is not None else "1"

    def _stepped(self) -> dict[str, ScanValues[float]]:
        p = self.parameters
        outer = {p.second_knob.strip(): p.second_values} if p.second_knob.strip() else {}
        return {**outer, p.knob.strip(): p.values}

    def _read(self) -> list[str]:
        return [name.strip() for name in self.parameters.readouts.split(",") if name.strip()]

    def _readout(self, name: str) -> str:
        """Return the column of a readout; a knob that is stepped and read back has two."""
        return f"{_column(name)}_readback" if name in self._stepped() else _column(name)

    def _settings(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for part in self.parameters.settings.split(","):
            if part.strip():
                name, _, value = part.partition("=")
                try:
                    found[name.strip()] = float(value)
                except ValueError:
                    raise UsageError(
                        f"{part.strip()!r} is not instrument.knob=value.", "Give a number."
                    ) from None
        return found


def _column(name: str) -> str:
    return name.replace(".", "_")


def _find(bench: Bench, name: str) -> tuple[Instrument, Quantity[Any]]:
    instrument_name, _, knob = name.partition(".")
    instrument = bench.role(instrument_name) or bench.instruments.get(instrument_name)
    if instrument is None:
        raise UsageError(
            f"Bench {bench.name!r} has no instrument {instrument_name!r}.",
            f"There are: {', '.join(bench.instruments) or 'none'}.",
        )
    knobs = instrument.knobs()
    if knob not in knobs:
        raise UsageError(
            f"{instrument_name} has no knob {knob!r}.", f"There are: {', '.join(knobs) or 'none'}."
        )
    return instrument, knobs[knob]


def _set(bench: Bench, name: str, value: float) -> None:
    instrument, knob = _find(bench, name)
    instrument.set_knob(knob, bool(value) if knob.kind is bool else value)

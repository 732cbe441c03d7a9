"""The world behind `sim-rydberg`: rubidium vapour in a cell, two lasers and a radio field."""

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from qlab.parameters import Parameters
from qlab.physics.judges.vapour import SolvedLadder
from qlab.physics.systems.rydberg import RydbergLadder, rabi_of
from qlab.pulses import Timeline
from qlab.units import Hertz, Unit
from qlab_instruments.worlds.seeded import SeededWorld

Level = Annotated[float, Ge(0)]
Positive = Annotated[float, Unit("Hz"), Gt(0)]
DIODE = 9  # random stream


class RydbergTruth(Parameters):
    """What is hidden in the simulated cell: 87Rb at room temperature, as in Sedlacek et al., Nat. Phys. 8, 819 (2012).

    The dipole moment and its line are those of 50D5/2 - 51P3/2 as in Holloway et al., IEEE TAP 62, 6169 (2014).
    """

    coupling_rabi: Hertz = 4.2e6
    decay: Positive = 6.0666e6
    dephasing: Positive = 0.25e6  # transit and laser lines
    temperature: Annotated[float, Unit("K"), Ge(0)] = 295.0
    depth: Level = 1.0
    line_offset: Hertz = 0.35e6  # of the coupling's line from where it is thought to be
    radio_line: Positive = 17.0415e9
    dipole: Annotated[float, Gt(0)] = 1443.45  # e a0
    field_at_0dbm: Level = 0.55  # V/m in the cell
    light: Annotated[float, Unit("V"), Gt(0)] = 1.0  # on the diode without atoms
    diode_noise: Level = 4e-4  # V/sqrt(Hz), one-sided and white
    efficiency: Annotated[float, Gt(0), Le(1)] = 0.8  # of the diode: its signal


class RydbergWorld(SeededWorld):
    """A cell, its lasers and its radio field; the diode sees exp(-depth A) of the light (readout model R6)."""

    hidden: RydbergTruth
    undrawn = "the vapour is in its steady state at each point."

    def __init__(self, truth: Mapping[str, float | str]) -> None:
        super().__init__()
        self.hidden = RydbergTruth.read(truth)

    def truth(self) -> dict[str, float]:
        """Return the process parameters and what follows from them."""
        h = self.hidden
        return {**self.settings(), "radio_at_0dbm": rabi_of(h.field_at_0dbm, h.dipole)}

    def detect(self, timeline: Timeline, *, single: bool = False) -> dict[str, NDArray[Any]]:
        """Return the mean voltage of the diode in each window, (points,)."""
        del single  # a voltage has no shots
        h, count = self.hidden, len(timeline)
        lines = {
            name: timeline.setpoints.get(name, np.zeros(count))
            for name in ("probe.detuning", "coupling.detuning")
        }
        power = timeline.setpoints.get("microwave.power", np.zeros(count))
        frequency = timeline.setpoints.get("microwave.frequency", np.full(count, h.radio_line))
        on = bool(self.lines.get("microwave.on", 0.0))
        seen: dict[str, NDArray[Any]] = {}
        passed = np.empty(count)
        for setting in set(zip(power.tolist(), frequency.tolist(), strict=True)):
            here = (power == setting[0]) & (frequency == setting[1])
            field = h.field_at_0dbm * 10 ** (setting[0] / 20) if on else 0.0
            ladder = SolvedLadder if self.solver == "qutip" else RydbergLadder
            system = ladder(h.coupling_rabi, rabi_of(field, h.dipole), setting[1] - h.radio_line, h.decay,
                            h.dephasing, h.temperature)  # fmt: skip
            passed[here] = system.transmission(
                lines["probe.detuning"][here], lines["coupling.detuning"][here] - h.line_offset, h.depth
            )
        for event in (e for e in timeline.events if e.kind == "acquire"):
            seconds = event.duration * 1e-12 * timeline.shots
            noise = h.diode_noise / np.sqrt(2 * seconds)
            kicks = [float(self.stream(DIODE, self.rows + k).normal()) for k in range(count)]
            seen[event.key] = h.efficiency * h.light * passed + noise * np.array(kicks)
        return seen

"""The world behind `sim-ion`: calcium ions in a linear trap, entangled through their common motion."""

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from qlab.errors import UsageError
from qlab.parameters import Parameters
from qlab.physics.constants import TWO_PI
from qlab.physics.judges import ions as judge
from qlab.physics.noise import slow_drift
from qlab.physics.systems.ions import IonChain, Look, SidebandGate, all_down
from qlab.pulses import Timeline
from qlab.units import Hertz, Unit
from qlab_instruments.worlds.seeded import SeededWorld, normalised
from qlab_instruments.worlds.steps import Step, steps_of

Share = Annotated[float, Ge(0), Le(0.5)]
Rate = Annotated[float, Unit("1/s"), Ge(0)]
CAMERA, FIELD = 7, 17  # random streams
MOST_KEPT = 4096  # distributions that are not computed again


class IonTruth(Parameters):
    """What is hidden in the simulated trap: 40Ca+ optical qubits, after Monz et al., PRL 106, 130506 (2011)."""

    qubit_offset: Hertz = 8.0  # of the ions from the laser
    offset_drift: Annotated[float, Ge(0)] = 1e-4  # Hz/sqrt(s), of the laser after its own lock
    T1: Annotated[float, Unit("s"), Gt(0)] = 1.168
    dephasing: Rate = 2.0  # of each ion by itself; coherence exp(-rate t)
    common_noise: Rate = 15.0  # rad/s rms, of the field that all ions share, from shot to shot
    mode_offset: Hertz = 150.0  # of the mode from where the sidebands are thought to be
    gate_gain: Annotated[float, Ge(0), Le(2)] = 1.005  # of the coupling
    thermal: Annotated[float, Ge(0)] = 0.05  # quanta left by cooling
    heating: Annotated[float, Ge(0)] = 60.0  # quanta/s
    drive_gain: Annotated[float, Ge(0), Le(2)] = 1.0
    bright_missed: Share = 0.003  # a bright ion is called dark
    dark_false: Share = 0.002  # a dark ion is called bright


class IonWorld(SeededWorld):
    """N ions as one spin, shared by the instruments of a bench.

    A shot starts with all ions dark and their motion cold; the bichromatic drive couples them through the mode, a wait
    dephases them, and the last pulse chooses what is looked at. Pulses are short against dephasing. The camera says how
    many ions are bright (readout model R2, of the whole chain).
    """

    hidden: IonTruth
    undrawn = "entangled ions have no levels of their own."

    def __init__(self, truth: Mapping[str, float | str]) -> None:
        super().__init__()
        self.hidden = IonTruth.read(truth)
        self._known: dict[tuple[Any, ...], NDArray[np.float64]] = {}
        self._gated: dict[tuple[Any, ...], IonChain] = {}

    def detect(self, timeline: Timeline, *, single: bool = False) -> dict[str, NDArray[Any]]:
        """Return the ions counted in each shot, (points, shots, 2): bright, then dark."""
        del single  # every shot is kept here anyway
        ions = round(self.lines.get("trap.ions", 0.0))
        if ions < 1:
            raise UsageError("The trap is empty.", "Load ions.")
        drift = float(slow_drift(np.asarray(self.elapsed), self.seed, FIELD)) * self.hidden.offset_drift
        pictures = np.empty((len(timeline), timeline.shots, 2), dtype=np.int64)
        for point, steps in enumerate(steps_of(timeline, "ms")):
            shares = self._shares(ions, steps, round(self.hidden.qubit_offset + drift, 3))
            rng = self.stream(CAMERA, self.rows + point)
            bright = rng.choice(ions + 1, size=timeline.shots, p=normalised(shares))
            pictures[point] = np.stack([bright, ions - bright], axis=-1)
        return {event.key: pictures for event in timeline.events if event.kind == "acquire"}

    def _shares(self, ions: int, steps: tuple[Step, ...], offset: float) -> NDArray[np.float64]:
        """Return the probability of each number of bright ions; known ones are not computed again."""
        key = (ions, steps, offset, self.lines.get("gate.detuning"), self.lines.get("gate.strength"))
        if key not in self._known:
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            self._known[key] = self._play(ions, steps, offset)
        return self._known[key]

    def _gate(self, seconds: float) -> SidebandGate:
        h = self.hidden
        coupling = TWO_PI * self.lines.get("gate.strength", 0.0) * h.gate_gain
        detuning = TWO_PI * (self.lines.get("gate.detuning", 0.0) - h.mode_offset)
        return SidebandGate(coupling, detuning, seconds, h.thermal, h.heating)

    def _play(self, ions: int, steps: tuple[Step, ...], offset: float) -> NDArray[np.float64]:
        h, chain = self.hidden, all_down(ions)
        touched, waited, last = False, 0.0, (0.0, 0.0)
        for kind, first, second in steps:
            if kind == "wait":
                waited += first if touched else 0.0
            elif kind == "turn" and waited == 0:
                chain, touched = self._turned(chain, first * h.drive_gain, second), True
            elif kind == "light" and waited == 0:
                chain, touched = self._entangled(chain, self._gate(first)), True
            elif kind == "turn" and last == (0.0, 0.0):
                last = (first * h.drive_gain, second)
            elif kind != "look":
                raise UsageError(
                    "Ions that have waited are driven more than once before they are looked at.",
                    "After the wait this bench knows one pulse, the analysis.",
                )
        return self._look(chain, TWO_PI * offset * waited, waited, *last)

    def _turned(self, chain: IonChain, angle: float, phase: float) -> IonChain:
        return judge.turned(chain, angle, phase) if self.solver == "qutip" else chain.turned(angle, phase)

    def _entangled(self, chain: IonChain, gate: SidebandGate) -> IonChain:
        if self.solver != "qutip":
            return chain.entangled(gate)
        key = (chain.rho.tobytes(), gate)
        if key not in self._gated:  # the same for every phase that is looked at
            self._gated[key] = judge.entangled(chain, gate)
        return self._gated[key]

    def _look(
        self, chain: IonChain, turn: float, waited: float, angle: float, phase: float
    ) -> NDArray[np.float64]:
        h = self.hidden
        if self.solver == "qutip":
            rates = (h.dephasing, 1 / h.T1, h.common_noise * waited)
            return judge.counted(chain, turn, waited, (angle, phase), rates, h.bright_missed, h.dark_false)
        look = Look.after(waited, angle, np.array([phase]), h.dephasing, h.T1).read(
            h.bright_missed, h.dark_false
        )
        return np.asarray(look.counts(chain.phased(turn), h.common_noise * waited)[0])

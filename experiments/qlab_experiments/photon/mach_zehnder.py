"""photon.mach_zehnder: the phase between two arms, with classical, squeezed and NOON light."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray
from pydantic import Field
from pydantic.config import JsonDict

from qlab.errors import UsageError
from qlab.experiment import Blocks, Experiment
from qlab.fits.interferometer import MachZehnder as Fringe
from qlab.parameters import Parameters
from qlab.physics.systems.interferometer import READOUTS, Interferometer, Readout
from qlab.physics.systems.pairs import LIGHT_SPEED
from qlab.pulses import Acquire, Delay, Program
from qlab.record import Block, Column, Figure, FitResult, Signal
from qlab.roles import (
    CoincidenceCounter,
    HomodyneDetector,
    Laser,
    NumberCounter,
    PhaseShifter,
    PulsePlayer,
    Squeezer,
    StateSource,
)  # fmt: skip
from qlab.runs import Run
from qlab.scan import Linear, Scan
from qlab.units import Radians, Unit
from qlab_experiments.photon.phase_figures import phase_figures

PLANCK = 6.62607015e-34
MODEL: JsonDict = {"group": "Model"}
DETECTOR = {"parity": "numbers", "difference": "numbers", "clicks": "coincidences", "homodyne": "homodyne"}
Share = Annotated[float, Ge(0), Le(1)]


class MachZehnderParameters(Parameters):
    """Settings of a scan over the phase of an interferometer."""

    phase: Scan[Radians] = Field(Linear(-3.15, 3.15, 64), title="Phase")
    light: Literal["coherent", "squeezed", "noon"] = Field(
        "noon", title="Light", description="Squeezed: a coherent state and squeezed vacuum in the other port"
    )
    photons: Annotated[float, Gt(0), Le(200)] = Field(
        2.0, title="Photons", description="Of the coherent state on average, or N of (|N,0⟩ + |0,N⟩)/√2"
    )
    squeezing: Annotated[float, Unit("dB"), Ge(0), Le(15)] = Field(
        6.0, title="Squeezing", description="Where the light is squeezed"
    )
    readout: Readout = Field(
        "parity",
        title="Readout",
        description="Odd counts or clicks at b, n_b − n_a, or the phase quadrature at b",
    )
    window: Annotated[float, Unit("s"), Gt(0)] = Field(1e-6, title="Pulse", description="Light of one shot")
    dead_time: Annotated[float, Unit("s"), Ge(0)] = Field(
        9e-6, title="Dead time", description="Of the detectors"
    )
    shots: Annotated[int, Ge(10), Le(100_000)] = Field(
        400, title="Shots in a row", description="Every one is kept"
    )
    passes: Annotated[int, Ge(2), Le(10_000)] = Field(20, title="Passes", description="Rows of each phase")
    wavelength: Annotated[float, Unit("m"), Gt(0)] = Field(1064e-9, title="Wavelength")
    arm_a: Share = Field(
        0.97, title="Arm a", description="Efficiency, held in the fit", json_schema_extra=MODEL
    )
    arm_b: Share = Field(
        0.95, title="Arm b", description="Efficiency, held in the fit", json_schema_extra=MODEL
    )
    spread: Annotated[float, Unit("rad"), Ge(0), Le(1)] = Field(
        0.05,
        title="Phase noise",
        description="Rms from shot to shot, held in the fit",
        json_schema_extra=MODEL,
    )
    dark_rate: Annotated[float, Unit("1/s"), Ge(0)] = Field(
        100.0, title="Dark counts", json_schema_extra=MODEL
    )


class MachZehnder(Experiment[MachZehnderParameters]):
    """Step the phase between two arms and look behind the second beam splitter: what light is worth.

    U = BS·e^{−iφ(n_a−n_b)/2}·BS; each arm loses light, the phase trembles, detectors miss and dream.
    Parity of n_b: exp[−2n̄sin²(φ/2)] for coherent light, V·cos Nφ for NOON light, V = (η_aη_b)^{N/2}η^N.
    Limits of one shot: coherent light of as many photons 1/√n̄ (SQL), 1/n̄ (Heisenberg), 1/√F_Q of the light sent, with
    F_Q = |α|²e^{2r} + sinh²r or N²·2(η_aη_b)^N/(η_a^N + η_b^N).
    Reference: Demkowicz-Dobrzański, Jarzyna and Kołodyński, Prog. Opt. 60, 345 (2015).
    Try: four photons and an arm of 0.8; squeezed light by homodyne; coherent light of 20 photons by parity.
    """

    title = "Mach–Zehnder interferometer"
    group = "Interferometry"
    fit = "mach_zehnder"
    preset = "sim-photonics"
    quantum: ClassVar = {
        "domain": "quantum sensing and metrology", "area": "sensing", "platform": "photonic",
        "physical_system": "two-mode interferometer", "protocol": "Mach-Zehnder interferometry",
        "measurand": "phase", "unit": "rad",
    }  # fmt: skip

    player: PulsePlayer
    laser: Laser
    squeezer: Squeezer
    source: StateSource
    shifter: PhaseShifter
    numbers: NumberCounter
    coincidences: CoincidenceCounter
    homodyne: HomodyneDetector

    @property
    def noon(self) -> int:
        """N of the NOON state, 0 for other light."""
        return round(self.parameters.photons) if self.parameters.light == "noon" else 0

    def preflight(self) -> None:
        """Refuse what shows no fringe, then check the limits."""
        p = self.parameters
        if self.noon and (p.readout == "homodyne" or p.photons != self.noon or not 1 <= self.noon <= 8):
            raise UsageError(
                "NOON light has a whole number of photons, 1 to 8, and no mean field for a homodyne detector.",
                "Set photons to 2 and the readout to parity.",
            )
        if self.noon > 1 and p.readout == "difference":
            raise UsageError(
                "NOON light leaves both ports with equal mean counts at every phase: the difference shows no fringe.",
                "Set the readout to parity or clicks.",
            )
        super().preflight()

    def program(self) -> Program:
        """A pulse of light at each phase, on the detector that the readout needs."""
        p = self.parameters
        power = 0.0 if self.noon else p.photons * PLANCK * LIGHT_SPEED / p.wavelength / p.window
        channel = DETECTOR[p.readout]
        mode: Literal["coincidences", "stream", "counts"] = (
            "coincidences" if channel == "coincidences" else "stream" if channel == "homodyne" else "counts"
        )
        setpoints: dict[str, Any] = {
            "shifter.phase": p.phase.symbol("phase"), "laser.power": power, "laser.on": float(power > 0),
            "squeezer.squeezing": p.squeezing if p.light == "squeezed" else 0.0,
            "squeezer.on": float(p.light == "squeezed"), "source.on": float(self.noon > 0),
        }  # fmt: skip
        if self.noon:
            setpoints["source.photons"] = float(self.noon)
        if p.readout == "homodyne":
            setpoints["homodyne.angle"] = math.pi / 2
        body = Acquire(channel, p.window, p.readout, mode) + Delay(p.dead_time)
        return Program(body, shots=p.shots * p.passes, setpoints=setpoints)

    def run(self) -> Blocks:
        """Play, and reduce every row to what its shots say."""
        p = self.parameters
        for block in self.play(self.program()):
            yield (
                {**block, **_reduced(np.asarray(block[p.readout]), p.readout, self.noon)} if block else block
            )

    def measured(self) -> tuple[Column, ...]:
        """Return what the detector gave, and what follows."""
        p = self.parameters
        shots = Column(name="shots", long_name="shots of this row", dtype="i8")
        if p.readout == "clicks":
            seen = Column(
                name="clicks",
                long_name="clicks at a, at b, at both",
                dims=("pattern",),
                shape=(3,),
                dtype="i8",
            )
            chosen = "clicks at b alone" if self.noon else "clicks at b"
            return (
                seen,
                Column(name="hits", long_name=f"shots with {chosen}", role="reduced", dtype="i8"),
                shots,
            )
        if p.readout == "homodyne":
            seen = Column(
                name="homodyne", long_name="phase quadrature at b", dims=("shot",), shape=(p.shots,)
            )
        else:
            seen = Column(name=p.readout, long_name="photons at a and at b", dims=("shot", "port"),
                          shape=(p.shots, 2), dtype="i4")  # fmt: skip
        if p.readout == "parity":
            return (
                seen,
                Column(name="hits", long_name="shots with an odd count at b", role="reduced", dtype="i8"),
                shots,
            )
        return (
            seen, Column(name="level", long_name="mean of the shots", role="reduced"),
            Column(name="scatter", long_name="standard deviation of one shot", role="reduced"), shots,
        )  # fmt: skip

    def signals(self) -> tuple[Signal, ...]:
        """Return the fringe, and for analogue readouts the noise of one shot."""
        if self.parameters.readout in {"parity", "clicks"}:
            said = (
                "share of odd counts at b" if self.parameters.readout == "parity" else "share of clicks at b"
            )
            return (Signal(name="fringe", long_name=said, rule="fraction", of="hits", per="shots"),)
        said = "n_b − n_a" if self.parameters.readout == "difference" else "phase quadrature at b"
        return (
            Signal(name="fringe", long_name=said, of="level"),
            Signal(name="noise", long_name="standard deviation of one shot", of="scatter"),
        )

    def fit_context(self) -> dict[str, float]:
        """Return the light, the readout and the arms."""
        p = self.parameters
        return {
            "photons": 0.0 if self.noon else p.photons, "squeezing": p.squeezing if p.light == "squeezed" else 0.0,
            "noon": float(self.noon), "readout": float(READOUTS.index(p.readout)), "angle": math.pi / 2,
            "dark": p.dark_rate * p.window, "arm_a": p.arm_a, "arm_b": p.arm_b, "spread": p.spread,
        }  # fmt: skip

    def expected(self, truth: Mapping[str, float]) -> dict[str, float]:
        """Return the phase at rest, the scale of the shifter and the efficiency of the detectors."""
        names = {"phase": "phase_offset", "scale": "shifter_scale", "efficiency": "efficiency"}
        return {name: truth[known] for name, known in names.items() if known in truth}

    def believed(self, known: Mapping[str, float]) -> dict[str, float]:
        """Return the interferometer of the design."""
        arms = {name: known[name] for name in ("arm_a", "arm_b", "spread") if name in known}
        return arms | self.expected(known)

    def system(self, theta: Mapping[str, float]) -> Interferometer:
        """Return the interferometer as calibrated, with what `theta` says otherwise."""
        model = Fringe(self.fit_context())
        known = {v.name: model.known(v.name) for v in model.parameters}
        return model.system({**known, "efficiency": 1.0, **theta})

    def model(self, theta: Mapping[str, float]) -> dict[str, Any]:
        """Return fringe and noise of one shot, and phase resolution (rad) over the scan, and F_Q, for `phase`, `scale`,
        `efficiency` (1), `arm_a`, `arm_b`, `spread`.
        """
        p, system = self.parameters, self.system(theta)
        phase = theta.get("scale", 1.0) * p.phase.values() + theta.get("phase", 0.0)
        return {
            "fringe": system.signal(phase, p.readout), "noise": system.noise(phase, p.readout),
            "resolution": system.resolution(phase, p.readout), "quantum_fisher": system.quantum_fisher(),
        }  # fmt: skip

    def analyse(self, run: Run, fit: FitResult | None) -> tuple[Figure, ...]:
        """Return the phase resolution of one shot at the best phase, from data and in closed form, with its limits."""
        return phase_figures(self, run, fit) if fit is not None and fit.success else ()


def _reduced(seen: NDArray[Any], readout: Readout, noon: int) -> Block:
    """Return what the shots of each row say: hits, or mean and scatter."""
    if readout == "clicks":
        return {"hits": seen[:, 1] - seen[:, 2] if noon else seen[:, 1]}
    if readout == "parity":
        return {"hits": (seen[..., 1] % 2).sum(axis=1)}
    values = seen if readout == "homodyne" else (seen[..., 1] - seen[..., 0]).astype(float)
    return {"level": values.mean(axis=1), "scatter": values.std(axis=1, ddof=1)}

"""What the pulsed NV protocols share: their parameters, the pieces of their sequences, their signal."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Generic, TypeVar

import numpy as np
from annotated_types import Ge, Gt, Le
from pydantic import Field

from qlab.errors import UsageError
from qlab.experiment import Experiment
from qlab.expression import Number
from qlab.parameters import Parameters
from qlab.physics.constants import A_PERPENDICULAR_14N, D_NV, TWO_PI
from qlab.physics.engine import play as play_on
from qlab.physics.levels import LevelSystem
from qlab.pulses import Acquire, Align, Delay, Gate, Play, Program, Sequence, compile_program
from qlab.record import Column, Signal
from qlab.roles import Laser, MicrowaveSource, PhotonCounter, PulsePlayer
from qlab.shots import KeepShots
from qlab.units import Hertz, Seconds, Unit, Watts, format_quantity
from qlab_experiments.nv.believed import believed_centre

Shots = Annotated[int, Ge(1), Le(10**9)]
# Of the carrier: there what the rotating wave leaves out reaches 1 % of the populations.
FASTEST = 0.04
RabiHertz = Annotated[float, Unit("Hz"), Gt(0)]


class PulsedParameters(Parameters):
    """Settings of every pulsed protocol on an NV centre."""

    microwave_frequency: Hertz = Field(
        2.814e9, title="Microwave frequency", description="Carrier of the pulses"
    )
    rabi_frequency: RabiHertz = Field(
        10e6, title="Rabi frequency", description="Asked strength of the pulses"
    )
    shots: Shots = Field(50_000, title="Shots", description="Repetitions of each point, over all passes")
    passes: Annotated[int, Ge(1), Le(10_000)] = Field(
        10,
        title="Passes",
        description="The shots are split over so many sweeps",
        json_schema_extra={"group": "Readout"},
    )
    keep_shots: KeepShots = Field(
        "off",
        title="Keep single shots",
        description="Also keep how many photons each shot gave: as a histogram, or every shot",
        json_schema_extra={"group": "Readout"},
    )
    laser_power: Watts = Field(1e-3, title="Laser power", json_schema_extra={"group": "Readout"})
    laser_time: Annotated[float, Unit("s"), Gt(0)] = Field(
        3e-6, title="Laser pulse", description="Polarises and reads", json_schema_extra={"group": "Readout"}
    )
    settle_time: Seconds = Field(1e-6, title="Wait after the laser", json_schema_extra={"group": "Readout"})
    signal_window: Annotated[float, Unit("s"), Gt(0)] = Field(
        300e-9,
        title="Signal window",
        description="From the start of the laser pulse",
        json_schema_extra={"group": "Readout"},
    )
    reference_window: Annotated[float, Unit("s"), Gt(0)] = Field(
        1.5e-6,
        title="Reference window",
        description="At the end of the laser pulse",
        json_schema_extra={"group": "Readout"},
    )


P = TypeVar("P", bound=PulsedParameters)


def optical_init(p: PulsedParameters) -> Sequence:
    """A laser pulse that polarises into m_S = 0, and a wait for the metastable state to empty."""
    return Gate("laser", p.laser_time) + Delay(p.settle_time)


def optical_readout(p: PulsedParameters) -> Sequence:
    """A laser pulse with a signal window at its start and a reference window at its end."""
    between = max(p.laser_time - p.signal_window - p.reference_window, 0.0)
    return (
        Align()
        + Gate("laser", p.laser_time)
        + Acquire("counter", p.signal_window, "counts")
        + Delay(between, ("counter",))
        + Acquire("counter", p.reference_window, "reference")
    )


def rotation(p: PulsedParameters, angle: float, phase: Number = 0.0) -> Play:
    """A square pulse that turns a resonant spin by `angle` rad about an axis at `phase`."""
    return Play("mw", angle / (TWO_PI * p.rabi_frequency), p.rabi_frequency, phase)


def half_pi(p: PulsedParameters, phase: Number = 0.0) -> Play:
    """A π/2 pulse."""
    return rotation(p, np.pi / 2, phase)


def pi(p: PulsedParameters, phase: Number = 0.0) -> Play:
    """A π pulse."""
    return rotation(p, np.pi, phase)


def check_windows(p: PulsedParameters) -> None:
    """Raise UsageError where the windows of the readout do not fit into the laser pulse side by side."""
    for name, window in (("signal", p.signal_window), ("reference", p.reference_window)):
        if window > p.laser_time:
            raise UsageError(
                f"The {name} window of {format_quantity(window, 's')} is longer than the laser pulse of "
                f"{format_quantity(p.laser_time, 's')}.",
                f"Shorten {name}_window, or lengthen laser_time.",
            )
    if p.signal_window + p.reference_window > p.laser_time * (1 + 1e-9):
        raise UsageError(
            f"Signal and reference window together are longer than the laser pulse of "
            f"{format_quantity(p.laser_time, 's')}: they would count the same photons, or none.",
            "Shorten one of them, or lengthen laser_time.",
        )


def check_drive(p: PulsedParameters) -> None:
    """Raise UsageError where the spin would flop within a few periods of the microwave: no pulse turns by its angle."""
    if p.microwave_frequency > 0 and p.rabi_frequency > p.microwave_frequency * FASTEST:
        raise UsageError(
            f"A Rabi frequency of {format_quantity(p.rabi_frequency, 'Hz')} at a carrier of "
            f"{format_quantity(p.microwave_frequency, 'Hz')}: the spin would turn within a few periods of the "
            "microwave, where a pulse no longer turns it by its angle.",
            f"Keep rabi_frequency below {format_quantity(p.microwave_frequency * FASTEST, 'Hz', 3)}.",
        )


def light_shift(frequency: float, rabi_frequency: float) -> float:
    """Return by how much a drive raises the transition that it drives, in Hz.

    The other transition of m_S = 0, at about 2 D - f, is driven off resonance: Omega^2/(4 (2 D - 2 f)).
    """
    distance = 2 * (D_NV - frequency)
    return rabi_frequency**2 / (4 * distance) if distance else 0.0


def hyperfine_asymmetry(frequency: float) -> float:
    """Return how far the middle 14N line at `frequency` lies above the mid-point of the outer two, negated, in Hz.

    Second-order perturbation in the transverse coupling: -A_perp^2 (1/f + 1/(2 f')), f' = 2 D - f the other line.
    """
    other = 2 * D_NV - frequency
    return -(A_PERPENDICULAR_14N**2) * (1 / frequency + 1 / (2 * other)) if frequency > 0 < other else 0.0


class PulsedNV(Experiment[P], Generic[P]):
    """A pulsed protocol on one transition of an NV centre: initialise, `middle`, read out."""

    group = "Coherence"
    preset = "sim-nv"
    quantum: ClassVar = {
        "domain": "quantum sensing and metrology",
        "area": "sensing",
        "platform": "solid-state spins",
        "physical_system": "NV centre in diamond",
    }

    player: PulsePlayer
    microwave: MicrowaveSource
    laser: Laser
    counter: PhotonCounter

    def preflight(self) -> None:
        """Refuse also what could be played and would measure something else than it says."""
        check_windows(self.parameters)
        check_drive(self.parameters)
        super().preflight()

    def middle(self) -> Sequence | Play | Delay:
        """Return what happens between initialisation and readout."""
        raise NotImplementedError

    def carrier(self) -> Number:
        """Return the carrier frequency in Hz."""
        return self.parameters.microwave_frequency

    def program(self) -> Program:
        """Return the whole program."""
        p = self.parameters
        return Program(
            optical_init(p) + self.middle() + optical_readout(p),
            shots=p.shots,
            setpoints=self.setpoints(),
        )

    def setpoints(self) -> dict[str, Number]:
        """Return the knobs set beside the sequence."""
        return {
            "microwave.frequency": self.carrier(),
            "microwave.on": 1.0,
            "laser.power": self.parameters.laser_power,
            "laser.on": 1.0,
        }

    def measured(self) -> tuple[Column, ...]:
        """Return counts of both windows and the shots they are summed over."""
        return (
            Column(name="counts", long_name="photons in the signal window", dtype="i8"),
            Column(name="reference", long_name="photons in the reference window", dtype="i8"),
            Column(name="shots", long_name="shots summed over", dtype="i8"),
        )

    def signals(self) -> tuple[Signal, ...]:
        """Return the normalised fluorescence, and the photons in each shot."""
        p = self.parameters
        return (
            Signal(
                name="fluorescence",
                long_name="normalised fluorescence",
                rule="ratio",
                of="counts",
                per="reference",
                scale=p.reference_window / p.signal_window,
            ),
            Signal(name="photons", long_name="photons per shot", rule="rate", of="counts", per="shots"),
        )

    def fit_context(self) -> dict[str, float]:
        """Return what is known of the pulses and of 14N."""
        p = self.parameters
        return {
            "rabi_frequency": p.rabi_frequency,
            "light_shift": light_shift(p.microwave_frequency, p.rabi_frequency),
            "asymmetry": hyperfine_asymmetry(p.microwave_frequency),
        }

    def expected(self, truth: Mapping[str, float]) -> dict[str, float]:
        """Return the truth behind the fit parameters that have the same name."""
        return {name: truth[name] for name in ("hyperfine", "T2_star", "sigma_detuning") if name in truth}

    def believed(self, known: Mapping[str, float]) -> LevelSystem:
        """Return the NV centre of the design."""
        return believed_centre(known, self.parameters.microwave_frequency)

    def model(self, system: LevelSystem) -> dict[str, Any]:
        """Return what a system would show, without noise: `transfer` and the mean of each signal; each (points,)."""
        readout = play_on(system, compile_program(self.program()))
        p = self.parameters
        counts, reference = readout.expected("counts"), readout.expected("reference")
        return {
            "transfer": readout.transfer(),
            "fluorescence": counts / reference * (p.reference_window / p.signal_window),
            "photons": counts,
        }

"""nv.cw_odmr: the resonance lines under continuous light and microwave."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Gt
from pydantic import Field

from qlab.experiment import Experiment
from qlab.parameters import Parameters
from qlab.physics.engine import play as play_on
from qlab.physics.levels import LevelSystem
from qlab.pulses import Acquire, Delay, Gate, Play, Program, compile_program
from qlab.record import Column, Signal
from qlab.roles import Laser, MicrowaveSource, PhotonCounter, PulsePlayer
from qlab.scan import Centre, Scan
from qlab.units import Hertz, Unit, Watts
from qlab_experiments.nv.believed import believed_centre
from qlab_experiments.nv.figures import cw_sensitivity, field_from_frequency
from qlab_experiments.nv.pulsed import PulsedNV, Shots, hyperfine_asymmetry

PositiveSeconds = Annotated[float, Unit("s"), Gt(0)]


class CWODMRParameters(Parameters):
    """Settings of a continuous-wave ODMR spectrum."""

    frequency: Scan[Hertz] = Field(Centre(2.814e9, 12e6, 161), title="Frequency")
    rabi_frequency: Annotated[float, Unit("Hz"), Ge(0)] = Field(
        0.2e6, title="Rabi frequency", description="Strength of the microwave"
    )
    laser_power: Watts = Field(20e-6, title="Laser power", description="Weak light keeps the lines narrow")
    dwell: PositiveSeconds = Field(1e-3, title="Counting time", description="In each shot")
    settle_time: PositiveSeconds = Field(0.5e-3, title="Settling time", description="Before counting starts")
    shots: Shots = Field(1000, title="Shots", description="Repetitions of each point, over all passes")
    passes: Annotated[int, Ge(1)] = Field(10, title="Passes", json_schema_extra={"group": "Readout"})
    expected_noise: Annotated[float, Unit("Hz"), Ge(0)] = Field(
        112.5e3,
        title="Expected detuning noise",
        description="Gaussian part of the line shape, held fixed in the fit",
        json_schema_extra={"group": "Model"},
    )


class CWODMR(Experiment[CWODMRParameters]):
    """Laser and microwave on together: the resonance shows as missing fluorescence.

    The pump polarises into m_S = 0 at the rate Γp and dephases at Γ2, the microwave mixes: three Lorentzian lines of
    width (1/π)·√(Γ2² + Ω²·Γ2/Γp), broadened by the slow detuning noise. Sensitivity 4/(3√3)·Δν/(γ C √R)
    (Dréau et al., Phys. Rev. B 84, 195204 (2011), eq. 4).
    Try: more laser power, more microwave power, 20 µT more field.
    """

    title = "CW ODMR"
    group = "Spectroscopy"
    fit = "lorentzian_triplet"
    figures = (field_from_frequency, cw_sensitivity)
    preset = "sim-nv"
    quantum: ClassVar = {
        **PulsedNV.quantum,
        "protocol": "CW ODMR",
        "measurand": "magnetic flux density",
        "unit": "T",
    }

    player: PulsePlayer
    microwave: MicrowaveSource
    laser: Laser
    counter: PhotonCounter

    def program(self) -> Program:
        """Light and microwave over the whole shot; counting after the settling time."""
        p = self.parameters
        whole = p.settle_time + p.dwell
        return Program(
            Gate("laser", whole)
            + Play("mw", whole, p.rabi_frequency)
            + Delay(p.settle_time, ("counter",))
            + Acquire("counter", p.dwell, "counts"),
            shots=p.shots,
            setpoints={
                "microwave.frequency": p.frequency.symbol("frequency"),
                "microwave.on": 1.0,
                "laser.power": p.laser_power,
                "laser.on": 1.0,
            },
        )

    def measured(self) -> tuple[Column, ...]:
        """Return the counts and the shots they are summed over."""
        return (
            Column(name="counts", long_name="photons", dtype="i8"),
            Column(name="shots", long_name="shots summed over", dtype="i8"),
        )

    def signals(self) -> tuple[Signal, ...]:
        """Return the count rate."""
        scale = 1 / self.parameters.dwell
        return (
            Signal(
                name="rate",
                unit="1/s",
                long_name="count rate",
                rule="rate",
                of="counts",
                per="shots",
                scale=scale,
            ),
        )

    def fit_context(self) -> dict[str, float]:
        """Return what is known of the line shape."""
        p = self.parameters
        return {
            "sigma_detuning": p.expected_noise,
            "asymmetry": hyperfine_asymmetry(float(p.frequency.values().mean())),
        }

    def expected(self, truth: Mapping[str, float]) -> dict[str, float]:
        """Return the truth of the line position and of the splitting."""
        return {"frequency": truth["resonance"], "hyperfine": truth["hyperfine"]}

    def believed(self, known: Mapping[str, float]) -> LevelSystem:
        """Return the NV centre of the design: its line in the middle of the sweep."""
        return believed_centre(known, float(self.parameters.frequency.values().mean()))

    def model(self, system: LevelSystem) -> dict[str, Any]:
        """Return the count rate a system would show, without noise; shape (points,)."""
        timeline = compile_program(self.program())
        return {"rate": play_on(system, timeline).expected("counts") / self.parameters.dwell}

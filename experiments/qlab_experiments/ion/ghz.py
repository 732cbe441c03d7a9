"""ion.ghz: parity of a GHZ state against phase, with the product state beside it."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray
from pydantic import Field
from pydantic.config import JsonDict

from qlab.experiment import Blocks, Experiment
from qlab.metrology.limits import dephased_frequency_limits
from qlab.parameters import Parameters
from qlab.physics.constants import TWO_PI
from qlab.physics.systems.ions import Look, SidebandGate, all_down, closed_gate, parity
from qlab.playing import grouped
from qlab.pulses import Acquire, Align, Delay, Gate, Play, Program
from qlab.record import Block, Column, Figure, FitResult, Signal
from qlab.roles import BichromaticDrive, Camera, IonTrap, PulsePlayer
from qlab.runs import Run
from qlab.scan import Linear, Scan, Values
from qlab.units import Radians, Seconds, Unit
from qlab_experiments.ion.parity_figures import parity_figures

MODEL: JsonDict = {"group": "Model"}
TIMING: JsonDict = {"group": "Cycle"}


class GHZParameters(Parameters):
    """Settings of a scan over the phase of the analysis pulse."""

    phase: Scan[Radians] = Field(Linear(0, 3.15, 49), title="Analysis phase")
    ions: Annotated[int, Ge(1), Le(20)] = Field(4, title="Ions")
    wait: Seconds = Field(4e-3, title="Wait", description="In which the ions gather phase, and dephase")
    shots: Annotated[int, Ge(10), Le(10_000)] = Field(
        100, title="Shots in a row", description="Of each of four settings"
    )
    passes: Annotated[int, Ge(1), Le(10_000)] = Field(10, title="Passes", description="Rows of each phase")
    loop: Annotated[float, Unit("Hz"), Gt(0)] = Field(
        20e3, title="Gate detuning", description="δ/2π: the gate lasts 1/this, with a coupling of half of it"
    )
    coupling: Annotated[float, Ge(0), Le(2)] = Field(
        1.0, title="Coupling", description="Over that of a GHZ state"
    )
    rabi_frequency: Annotated[float, Unit("Hz"), Gt(0)] = Field(
        50e3, title="Rabi frequency", description="Of the carrier"
    )
    prepare_time: Seconds = Field(5e-3, title="Cooling", description="And pumping", json_schema_extra=TIMING)
    detect_time: Seconds = Field(3e-3, title="Detection", json_schema_extra=TIMING)
    dephasing: Annotated[float, Unit("1/s"), Gt(0)] = Field(
        2.0, title="Dephasing", description="Of each ion, for the limits", json_schema_extra=MODEL
    )


class GHZ(Experiment[GHZParameters]):
    """Entangle N ions by one Mølmer–Sørensen gate, let them gather phase, and look at their parity.

    Sequence: cool, gate of 2π/δ (for odd N a π/2 pulse more), wait T, π/2 pulse at the analysis phase φ, count bright
    ions; the same with a π/2 pulse in place of the gate (product state), and both without the analysis pulse.
    H = g Jx(a e^{iδt} + h.c.), g = δ/2: exp(−iπJx²/2). Parity C·cos N(φ − φ₀): N times as fast as one ion.
    One shot: δφ = 1/(N·C), against 1/√N of independent ions. Dephasing γ of each ion by itself takes e^{−NγT}: at
    their best times both states are equally good, √(2γe/(NT)). Fidelity (P₀ + P_N + C)/2; F_Q ≥ N²C².
    Reference: Sørensen and Mølmer, PRA 62, 022311 (2000); Monz et al., PRL 106, 130506 (2011); Huelga (1997).
    Try: eight ions; a wait of 50 ms; a gate that is 3 % too strong.
    """

    title = "GHZ states of ions"
    group = "Entanglement"
    fit = "parity_fringe"
    preset = "sim-ion"
    quantum: ClassVar = {
        "domain": "quantum sensing and metrology", "area": "metrology", "platform": "trapped ions",
        "physical_system": "ions in a linear trap", "protocol": "GHZ Ramsey", "measurand": "phase", "unit": "rad",
    }  # fmt: skip

    player: PulsePlayer
    trap: IonTrap
    gate: BichromaticDrive
    camera: Camera

    @property
    def passes(self) -> int:
        """Each pass is a sweep of its own."""
        return self.parameters.passes

    def program(self) -> Program:
        """Prepare either state, wait, analyse or not; the four settings alternate fastest."""
        p = self.parameters
        entangled = Values((0.0, 1.0)).symbol("entangled")
        analysed, phase = Values((0.0, 1.0)).symbol("analysed"), p.phase.symbol("phase")
        quarter = 1 / (4 * p.rabi_frequency)
        gate = Gate("ms", entangled / p.loop)
        # A gate on an odd number of ions leaves the GHZ state turned by π/2.
        if p.ions % 2 == 0:
            made = Play("mw", quarter, p.rabi_frequency * (1 - entangled)) + Align() + gate
        else:
            made = gate + Align() + Play("mw", quarter, p.rabi_frequency)
        body = (
            Delay(p.prepare_time)
            + made
            + Delay(p.wait)
            + Play("mw", quarter, p.rabi_frequency * analysed, phase)
            + Align()
            + Acquire("camera", p.detect_time, "ions_seen", "image")
        )
        setpoints = {
            "trap.ions": float(p.ions),
            "gate.detuning": p.loop,
            "gate.strength": p.coupling * p.loop / 2,
        }
        whole = Program(body, shots=p.shots * p.passes, setpoints=setpoints)
        order = {name: whole.sweeps[name] for name in ("phase", "entangled", "analysed")}
        return Program(whole.body, whole.shots, setpoints, order)

    def run(self) -> Blocks:
        """Join the four rows of each phase into one."""
        for block in grouped(self.play(self.program()), 4):
            yield self._counted(block) if block else block

    def _counted(self, block: Block) -> Block:
        ions = self.parameters.ions
        seen = np.asarray(block["ions_seen"])[..., 0]
        counts = np.stack([(seen == k).sum(axis=1) for k in range(ions + 1)], axis=-1)
        names = ("product_poles", "product", "ghz_poles", "ghz")
        tables = {name: counts[k::4] for k, name in enumerate(names)}
        even = np.arange(ions + 1) % 2 == 0
        last = {name: np.asarray(block[name])[3::4] for name in ("phase", "shots", "time", "valid")}
        return {
            **tables, **last, "even": tables["ghz"][:, even].sum(axis=1),
            "product_even": tables["product"][:, even].sum(axis=1),
            "poles": tables["ghz_poles"][:, 0] + tables["ghz_poles"][:, -1],
            "bright": tables["product"] @ np.arange(ions + 1), "looks": ions * last["shots"],
        }  # fmt: skip

    def measured(self) -> tuple[Column, ...]:
        """Return how often 0..N ions were bright in each setting, and what follows."""
        shape = (self.parameters.ions + 1,)
        tables = {
            "ghz": "GHZ state, analysed", "ghz_poles": "GHZ state, not analysed",
            "product": "product state, analysed", "product_poles": "product state, not analysed",
        }  # fmt: skip
        reduced = {
            "even": "GHZ state, even numbers bright", "product_even": "product state, even numbers bright",
            "poles": "GHZ state not analysed, all or none bright", "bright": "product state, bright ions",
            "looks": "ions looked at",
        }  # fmt: skip
        return (
            *(Column(name=n, long_name=f"shots by bright ions: {t}", dims=("bright_ions",), shape=shape, dtype="i8")
              for n, t in tables.items()),
            *(Column(name=n, long_name=t, role="reduced", dtype="i8") for n, t in reduced.items()),
            Column(name="shots", long_name="shots of each setting", dtype="i8"),
        )  # fmt: skip

    def signals(self) -> tuple[Signal, ...]:
        """Return the share of even counts of both states, the populations, and the product state ion by ion."""
        return (
            Signal(name="parity", long_name="share of even parity, GHZ state", rule="fraction", of="even", per="shots"),
            Signal(name="product_parity", long_name="share of even parity, product state", rule="fraction",
                   of="product_even", per="shots"),
            Signal(name="population", long_name="all or none bright, GHZ state", rule="fraction", of="poles",
                   per="shots"),
            Signal(name="single", long_name="share of bright ions, product state", rule="fraction", of="bright",
                   per="looks"),
        )  # fmt: skip

    def fit_context(self) -> dict[str, float]:
        """The parity of N ions has the period 2π/N."""
        return {"fix_period": TWO_PI / self.parameters.ions}

    def chain(
        self, theta: Mapping[str, float], *, entangled: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the probabilities of 0..N bright ions, analysed (phases, N + 1) and not (1, N + 1).

        `theta`: any of those of the bench (`sim-ion`); what is not given does not disturb.
        """
        p, known = self.parameters, {**_IDEAL, **theta}
        gate = closed_gate(TWO_PI * p.loop)
        gain = p.coupling * known["gate_gain"]
        real = SidebandGate(gate.coupling * gain, gate.detuning - TWO_PI * known["mode_offset"], gate.time,
                            known["thermal"], known["heating"])  # fmt: skip
        quarter, ions = math.pi / 2 * known["drive_gain"], all_down(p.ions)
        state = ions.entangled(real) if entangled else ions
        state = state if entangled and p.ions % 2 == 0 else state.turned(quarter)
        state = state.phased(TWO_PI * known["qubit_offset"] * p.wait)
        errors = known["bright_missed"], known["dark_false"]
        common = known["common_noise"] * p.wait
        look = Look.after(p.wait, quarter, p.phase.values(), known["dephasing"], known["T1"]).read(*errors)
        poles = Look.after(p.wait, 0.0, np.zeros(1), known["dephasing"], known["T1"]).read(*errors)
        return look.counts(state, common), poles.counts(state)

    def waves(self, theta: Mapping[str, float]) -> tuple[float, complex, complex]:
        """Return the mean share of even parity, and the first harmonics over a whole period of the analysis phase:
        of the GHZ state's parity, exp(iNφ), and of the share of bright ions of the product state, exp(iφ).
        """
        n, count = self.parameters.ions, 64
        turn = replace(Linear(0.0, TWO_PI * (count - 1) / count, count), unit="rad")
        turned = type(self)(self.parameters.model_copy(update={"phase": turn}))
        even = (1 + parity(turned.chain(theta, entangled=True)[0])) / 2
        bright = turned.chain(theta, entangled=False)[0] @ np.arange(n + 1) / n
        many, one = np.fft.rfft(even) / count, np.fft.rfft(bright) / count
        return float(many[0].real), complex(2 * many[n]), complex(2 * one[1])

    def model(self, theta: Mapping[str, float]) -> dict[str, Any]:
        """Return the signals over the scan for a bench of these values, the best times for a frequency (P21), and the
        Fisher information on the phase that the fringes show: N²C² of the GHZ state, N·C₁² of the product state (P23).
        """
        ghz, poles = self.chain(theta, entangled=True)
        product, _ = self.chain(theta, entangled=False)
        n, p = self.parameters.ions, self.parameters
        limits = dephased_frequency_limits(n, theta.get("dephasing", p.dephasing), 1.0)
        _, many, one = self.waves(theta)
        return {
            "parity": (1 + parity(ghz)) / 2, "product_parity": (1 + parity(product)) / 2,
            "single": product @ np.arange(n + 1) / n,
            "population": np.full(len(p.phase), poles[0, 0] + poles[0, -1]),
            "best_time_ghz": limits.time_ghz, "best_time_product": limits.time_product, "limit": limits.product,
            "fisher": (2 * n * abs(many)) ** 2, "product_fisher": n * (2 * abs(one)) ** 2,
        }  # fmt: skip

    def believed(self, known: Mapping[str, float]) -> dict[str, float]:
        """Return the chain of the design."""
        return {"dephasing": self.parameters.dephasing} | {n: v for n, v in known.items() if n in _IDEAL}

    def expected(self, truth: Mapping[str, float]) -> dict[str, float]:
        """Return phase and visibility of the GHZ state's parity on a bench with this truth."""
        if "mode_offset" not in truth:
            return {}
        level, many, _ = self.waves(truth)
        return {"visibility": abs(many) / level, "phase": float(np.angle(many)), "level": level}

    def analyse(self, run: Run, fit: FitResult | None) -> tuple[Figure, ...]:
        """Return contrast, fidelity, and the phase resolution of one shot with its limits."""
        return parity_figures(self, run, fit) if fit is not None and fit.success else ()


_IDEAL = {
    "qubit_offset": 0.0, "T1": 0.0, "dephasing": 0.0, "common_noise": 0.0, "mode_offset": 0.0, "gate_gain": 1.0,
    "thermal": 0.0, "heating": 0.0, "drive_gain": 1.0, "bright_missed": 0.0, "dark_false": 0.0,
}  # fmt: skip

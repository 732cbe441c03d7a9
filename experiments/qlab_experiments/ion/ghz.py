"""ion.ghz: parity of a GHZ state against phase, with the product state beside it."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray
from pydantic import Field
from pydantic.config import JsonDict

from qlab.experiment import Blocks, Experiment
from qlab.metrology.limits import dephased_frequency_limits
from qlab.metrology.propagation import propagated
from qlab.parameters import Parameters
from qlab.physics.constants import TWO_PI
from qlab.physics.systems.ions import Look, SidebandGate, all_down, closed_gate, depolarised_fisher, parity
from qlab.pulses import Acquire, Align, Delay, Gate, Play, Program
from qlab.record import Block, Column, Figure, FitResult, Signal
from qlab.roles import BichromaticDrive, Camera, IonTrap, PulsePlayer
from qlab.runs import Run
from qlab.scan import Linear, Scan, Values
from qlab.units import Radians, Seconds, Unit

HUELGA = "Huelga et al., Phys. Rev. Lett. 79, 3865 (1997)"
LEIBFRIED = "Leibfried et al., Science 304, 1476 (2004)"
MONZ = "Monz et al., Phys. Rev. Lett. 106, 130506 (2011)"
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
        left: dict[str, NDArray[Any]] = {}
        for block in self.play(self.program()):
            if not block:
                yield block
                continue
            whole = {k: np.concatenate([left[k], v]) if left else np.asarray(v) for k, v in block.items()}
            done = len(whole["phase"]) // 4 * 4
            if done:
                yield self._counted({k: v[:done] for k, v in whole.items()})
            left = {k: v[done:] for k, v in whole.items()}

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

    def model(self, theta: Mapping[str, float]) -> dict[str, Any]:
        """Return the signals over the scan for a bench of these values, and the best times for a frequency (P21)."""
        ghz, poles = self.chain(theta, entangled=True)
        product, _ = self.chain(theta, entangled=False)
        n, p = self.parameters.ions, self.parameters
        limits = dephased_frequency_limits(n, theta.get("dephasing", p.dephasing), 1.0)
        return {
            "parity": (1 + parity(ghz)) / 2, "product_parity": (1 + parity(product)) / 2,
            "single": product @ np.arange(n + 1) / n,
            "population": np.full(len(p.phase), poles[0, 0] + poles[0, -1]),
            "best_time_ghz": limits.time_ghz, "best_time_product": limits.time_product, "limit": limits.product,
        }  # fmt: skip

    def expected(self, truth: Mapping[str, float]) -> dict[str, float]:
        """Return phase and visibility of the GHZ state's parity on a bench with this truth."""
        if "mode_offset" not in truth:
            return {}
        from dataclasses import replace

        n = self.parameters.ions
        whole = replace(Linear(0.0, TWO_PI * 63 / 64, 64), unit="rad")
        period = type(self)(self.parameters.model_copy(update={"phase": whole})).chain(truth, entangled=True)[
            0
        ]
        wave = np.fft.rfft((1 + parity(period)) / 2) / 64
        level = float(wave[0].real)
        return {
            "visibility": 2 * float(abs(wave[n])) / level,
            "phase": float(np.angle(wave[n])),
            "level": level,
        }

    def analyse(self, run: Run, fit: FitResult | None) -> tuple[Figure, ...]:
        """Return contrast, fidelity, and the phase resolution of one shot with its limits."""
        if fit is None or not fit.success:
            return ()
        p = self.parameters
        n, cycle = p.ions, p.prepare_time + p.wait + p.detect_time + 1 / p.loop + 1 / (2 * p.rabi_frequency)

        def contrast(theta: Mapping[str, float]) -> float:
            return 2 * theta["level"] * theta["visibility"]

        c, wrong = contrast(fit.values), propagated(contrast, fit) or 0.0
        shots = float(np.sum(run["shots"]))
        poles = float(np.sum(run["poles"])) / shots
        spread = math.sqrt(max(poles * (1 - poles), 1 / shots) / shots)
        resolution = 1 / (n * c)
        limits = dephased_frequency_limits(n, p.dephasing, 1.0)
        gathered = TWO_PI * max(p.wait, 1e-12)
        return (
            Figure(name="contrast", label="contrast of the parity", value=c, error=wrong, source=MONZ,
                   definition="half the swing of ⟨(−1)^bright⟩"),
            Figure(name="fidelity", label="fidelity of the GHZ state", value=(poles + c) / 2, source=LEIBFRIED,
                   error=math.hypot(wrong, spread) / 2, definition="(P₀ + P_N + C)/2; entangled above 0.5"),
            Figure(name="quantum_fisher", label="quantum Fisher information, at least", value=n**2 * c**2,
                   error=2 * n**2 * c * wrong, definition="N²C²; above N no product state has it", source=MONZ),
            Figure(name="depolarised_fisher", label="F_Q if the noise is white",
                   value=depolarised_fisher(n, min(c, 1.0)),
                   definition="p²N²/(p + (1−p)2^{1−N}) for p = C", source=LEIBFRIED),
            Figure(name="phase_resolution", label="phase resolution of one shot", value=resolution, unit="rad",
                   error=resolution * wrong / c, definition="1/(N·C) at the steepest phase", source=LEIBFRIED),
            Figure(name="gain", label="gain over the standard quantum limit", unit="dB",
                   value=20 * math.log10(c * math.sqrt(n)), error=20 / math.log(10) * wrong / c,
                   definition="of the phase variance, N·C²"),
            Figure(name="standard_quantum_limit", label="standard quantum limit", value=1 / math.sqrt(n), unit="rad",
                   definition="1/√N, full contrast", source=LEIBFRIED, limit_of="phase_resolution"),
            Figure(name="heisenberg_limit", label="Heisenberg limit", value=1 / n, unit="rad", definition="1/N",
                   source=LEIBFRIED, limit_of="phase_resolution"),
            Figure(name="frequency_sensitivity", label="frequency sensitivity", unit="Hz/√Hz",
                   value=resolution * math.sqrt(cycle) / gathered,
                   error=resolution * wrong / c * math.sqrt(cycle) / gathered,
                   definition="1/(2πT·N·C)·√cycle", source=HUELGA),
            Figure(name="dephasing_limit", label="limit of independent dephasing", unit="Hz/√Hz", source=HUELGA,
                   value=limits.product / TWO_PI, limit_of="frequency_sensitivity",
                   definition="√(2γe/N)/2π, at the best wait, no dead time: product and GHZ state alike"),
        )  # fmt: skip


_IDEAL = {
    "qubit_offset": 0.0, "T1": 0.0, "dephasing": 0.0, "common_noise": 0.0, "mode_offset": 0.0, "gate_gain": 1.0,
    "thermal": 0.0, "heating": 0.0, "drive_gain": 1.0, "bright_missed": 0.0, "dark_false": 0.0,
}  # fmt: skip

"""Figures of merit of a GHZ state: contrast, fidelity, Fisher information, what one shot resolves, and its limits."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from qlab.metrology.limits import dephased_frequency_limits
from qlab.metrology.propagation import propagated
from qlab.physics.constants import TWO_PI
from qlab.physics.systems.ions import depolarised_fisher
from qlab.record import Figure, FitResult
from qlab.runs import Run

if TYPE_CHECKING:
    from qlab_experiments.ion.ghz import GHZ

HUELGA = "Huelga et al., Phys. Rev. Lett. 79, 3865 (1997)"
LEIBFRIED = "Leibfried et al., Science 304, 1476 (2004)"
MONZ = "Monz et al., Phys. Rev. Lett. 106, 130506 (2011)"


def parity_figures(experiment: "GHZ", run: Run, fit: FitResult) -> tuple[Figure, ...]:
    """Return the figures of a fit of the parity fringe that succeeded."""
    p = experiment.parameters
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

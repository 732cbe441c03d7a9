"""nv.cw_odmr: the resonance lines under continuous light and microwave."""

from collections.abc import Mapping
from typing import Any, ClassVar

from qlab.physics.engine import play as play_on
from qlab.physics.levels import LevelSystem
from qlab.pulses import compile_program
from qlab_experiments.nv.believed import believed_centre
from qlab_experiments.nv.continuous import ContinuousNV, ContinuousParameters
from qlab_experiments.nv.figures import cw_sensitivity, field_from_frequency
from qlab_experiments.nv.pulsed import hyperfine_asymmetry


class CWODMRParameters(ContinuousParameters):
    """Settings of a continuous-wave ODMR spectrum."""


class CWODMR(ContinuousNV[CWODMRParameters]):
    """Laser and microwave on together: the resonance shows as missing fluorescence.

    The pump polarises into m_S = 0 at the rate Γp and dephases at Γ2, the microwave mixes: three Lorentzian lines of
    width (1/π)·√(Γ2² + Ω²·Γ2/Γp), broadened by the slow detuning noise. Sensitivity 4/(3√3)·Δν/(γ C √R)
    (Dréau et al., Phys. Rev. B 84, 195204 (2011), eq. 4).
    Try: more laser power, more microwave power, 20 µT more field.
    """

    title = "CW ODMR"
    fit = "lorentzian_triplet"
    figures = (field_from_frequency, cw_sensitivity)
    quantum: ClassVar = {**ContinuousNV.quantum, "protocol": "CW ODMR"}

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

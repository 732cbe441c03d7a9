"""AC magnetometry by XY8 trains: what a signal leaves on the spin, against spacing, length and amplitude."""

from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from qlab.fits.model import Curve, FitModel, Theta, Variable
from qlab.fits.two_level import HYPERFINE_15N
from qlab.physics.constants import GAMMA_NV, TWO_PI
from qlab.physics.toggling import Step, Toggling, toggling

QUARTERS = (0, 1, 0, 1, 1, 0, 1, 0)  # XYXYYXYX, phases in quarter turns
PHASES = 16  # over which a free-running signal is averaged; the harmonics fall beyond the turn in rad
LINES = {14: (1.0, 0.0, -1.0), 15: (0.5, -0.5)}
_CONTRAST = Variable("contrast", "1", "contrast", minimum=0.0, maximum=1.0, essential=True, default=0.15)
_T2 = Variable("T2", "s", "T2 of the train", minimum=0.0, free=False, default=np.inf)


@lru_cache(maxsize=64)
def _frame(known: tuple[tuple[str, float], ...], spacing: bytes, blocks: int) -> Toggling:
    """Return the toggling frame of XY8 trains; kept, since a fit asks for the same ones again and again."""
    c = dict(known)
    tau = np.frombuffer(spacing)
    rabi, error = TWO_PI * c.get("rabi_frequency", 20e6), c.get("amplitude_error", 0.0)
    half, pulse = np.pi / (2 * rabi), np.pi / rabi
    hyperfine = TWO_PI * c.get("hyperfine", HYPERFINE_15N)
    lines = np.array([m * hyperfine for m in LINES[int(c.get("nitrogen", 15))]])
    around = Step(tau / 2 - pulse / 2)
    steps = [Step(np.asarray(half), rabi, 0.0)]
    for quarter in QUARTERS * blocks:
        steps += [around, Step(np.asarray(pulse), rabi * (1 + error), quarter * np.pi / 2), around]
    steps.append(Step(np.asarray(half), rabi, c.get("last", np.pi)))
    return toggling(steps, lines, TWO_PI * c.get("light_shift", 0.0))


class Train(FitModel):
    """Ratio of the fluorescence with the last π/2 pulse turned back and turned on: (1 + cK)/(1 − cK).

        K = e^{−T/T2}·⟨z⟩, z the spin after a signal B cos(2πft + phase) turned it by Φ = 2πγB Re(F e^{i phase}) in the
        toggling frame of the pulses as they are: finite, detuned by the nucleus, with an `amplitude_error`. For ideal
        pulses K = cos φ with φ = 2πγB|Y|cos(arg Y + phase), on resonance (2/π)·2πγBT. With context `random` the phase
        is averaged over: K = J0(φ). Context besides: `rabi_frequency` (Hz), `spacing` (s), `blocks` of eight pulses,
    `ends` (s, of a π/2 pulse), `phase` (rad, at the end of the first π/2 pulse), `last` (rad, of the last pulse),
        `hyperfine`, `light_shift`, `frequency` (Hz), `nitrogen` (14 or 15).
        Source: Degen et al., Rev. Mod. Phys. 89, 035002 (2017), sec. VI; physics.md P11.
    """

    feature: ClassVar[str] = "signal"

    def toggled(self, spacing: Curve, blocks: float) -> Toggling:
        """Return the toggling frame for spacings (points,)."""
        used = ("rabi_frequency", "amplitude_error", "hyperfine", "nitrogen", "light_shift", "last")
        known = tuple((name, float(self.context[name])) for name in used if name in self.context)
        return _frame(
            known, np.ascontiguousarray(np.atleast_1d(spacing), dtype=float).tobytes(), round(blocks)
        )

    def kept(self, frame: Toggling, frequency: float, amplitude: Any) -> Curve:
        """Return K without its decay, (points,), under a signal of `amplitude` T, one or (points,)."""
        omega = TWO_PI * frequency
        # m_S = −1 turns against the field; phases are counted from the end of the first pulse.
        response = -frame.response(omega) * np.exp(-1j * omega * self.known("ends"))
        strength = TWO_PI * GAMMA_NV * np.reshape(amplitude, (-1, 1, 1))
        if not self.known("random"):
            return frame.kept(strength * np.real(response * np.exp(1j * self.known("phase"))))
        phases = np.exp(TWO_PI * 1j * np.arange(PHASES) / PHASES)[:, None, None, None]
        return np.asarray(frame.kept(strength * np.real(response * phases)).mean(axis=0))

    def shown(self, theta: Theta, kept: Curve) -> Curve:
        """Return the ratio of the two readouts."""
        height = theta["contrast"] * kept
        return np.asarray((1 + height) / (1 - height))

    def scanned(
        self, x: Curve, y: Curve, error: Curve, trials: list[dict[str, float]]
    ) -> list[dict[str, float]]:
        """Return the best few of trial values, the contrast solved linearly for each."""
        found = []
        height, weight = (y - 1) / (y + 1), (y + 1) ** 2 / (2 * error)
        for trial in trials:
            ratio = self.evaluate(x, {**trial, "contrast": 1e-3})
            shape = (ratio - 1) / (ratio + 1) * 1e3
            contrast = float((shape * weight) @ (height * weight)) / max(
                float(np.sum((shape * weight) ** 2)), 1e-300
            )
            chi2 = float(np.sum(((height - contrast * shape) * weight) ** 2))
            if contrast > 0:
                found.append((chi2, {**trial, "contrast": min(contrast, 0.9)}))
        found.sort(key=lambda pair: pair[0])
        return [theta for _, theta in found[:4]] or [{**trials[0], "contrast": 0.15}]


class ACSpectrum(Train):
    """The spacing of the pulses is swept: a signal shows where it turns as often as the pulses. x in s."""

    name: ClassVar[str] = "ac_spectrum"
    title: ClassVar[str] = "AC signal in a decoupling spectrum"
    formula: ClassVar[str] = "(1 + cK)/(1 − cK), K = e^{−Nx/T2}·J0(2πγB|Y(2πf)|)"
    axis_unit: ClassVar[str] = "s"
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("amplitude", "T", "signal amplitude B", minimum=0.0, essential=True, default=5e-7),
        Variable("frequency", "Hz", "signal frequency f", minimum=0.0, essential=True, default=1e6),
        _T2, _CONTRAST,
    )  # fmt: skip

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the ratio at spacings x (s)."""
        blocks = self.known("blocks")
        kept = self.kept(self.toggled(x, blocks), theta["frequency"], theta["amplitude"])
        return self.shown(theta, kept * np.exp(-len(QUARTERS) * blocks * x / theta["T2"]))

    def _total(self, x: Curve) -> float:
        return len(QUARTERS) * self.known("blocks") * float(np.mean(x))

    def guess(self, x: Curve, y: Curve, error: Curve) -> list[dict[str, float]]:
        """Scan frequencies whose resonance lies in the sweep, and amplitudes by the turn they give."""
        total = self._total(x)
        low, high = 1 / (2 * float(x.max())), 1 / (2 * float(x.min()))
        count = int(np.clip((high - low) * total * 2, 5, 40))
        trials = [
            {"amplitude": float(turn / (4 * GAMMA_NV * total)), "frequency": float(f), "T2": self.known("T2")}
            for f in np.linspace(low, high, count)
            for turn in (0.5, 1.1, 2.0, 3.2)
        ]
        return self.scanned(x, y, error, trials)

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return a part of the filter's width, and a part of a turn."""
        del theta
        total = self._total(x)
        return {"frequency": 0.1 / total, "amplitude": 0.1 / (4 * GAMMA_NV * total)}

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """A signal outside the sweep is not measured by it."""
        if 1 / (2 * x.max()) <= theta["frequency"] <= 1 / (2 * x.min()):
            return []
        return ["The signal lies outside the sweep of spacings."]


class ACBuildup(Train):
    """The train is made longer at one spacing: the signal's turn grows, coherence decays. x counts XY8 blocks."""

    name: ClassVar[str] = "ac_buildup"
    title: ClassVar[str] = "AC signal against the length of the train"
    formula: ClassVar[str] = "(1 + cK)/(1 − cK), K = e^{−8xτ·rate}·J0(2πγB|Y_x|)"
    axis_unit: ClassVar[str] = "1"
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("amplitude", "T", "signal amplitude B", minimum=0.0, essential=True, default=5e-7),
        # The rate, whose error is normal however short the trains; T2 itself is not, and has no upper end.
        Variable("decay_rate", "1/s", "decay rate 1/T2", default=4e3),
        _CONTRAST,
    )  # fmt: skip

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the ratio after x blocks."""
        spacing = self.known("spacing")
        blocks, where = np.unique(np.rint(np.asarray(x, dtype=float)), return_inverse=True)
        made = [
            self.kept(self.toggled(np.array([spacing]), n), self.known("frequency"), theta["amplitude"])[0]
            for n in blocks
        ]
        lasts = len(QUARTERS) * spacing * np.asarray(x)
        return self.shown(
            theta, np.array(made)[where.reshape(np.shape(x))] * np.exp(-lasts * theta["decay_rate"])
        )

    def _total(self, x: Curve) -> float:
        return len(QUARTERS) * self.known("spacing") * float(np.max(x))

    def guess(self, x: Curve, y: Curve, error: Curve) -> list[dict[str, float]]:
        """Scan amplitudes by the turn they give after the longest train, and decay times."""
        total = self._total(x)
        trials = [
            {"amplitude": float(turn / (4 * GAMMA_NV * total)), "decay_rate": 1 / (total * ratio)}
            for turn in np.geomspace(0.3, 30, 30)
            for ratio in (0.5, 2.0, 8.0)
        ]
        return self.scanned(x, y, error, trials)

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return a part of a turn after the longest train."""
        del theta
        return {"amplitude": 0.1 / (4 * GAMMA_NV * self._total(x)), "decay_rate": 0.3 / self._total(x)}


class ACFringe(Train):
    """The amplitude of a locked test signal is swept: fringes whose period calibrates its coil. x in T as asked."""

    name: ClassVar[str] = "ac_fringe"
    title: ClassVar[str] = "Fringe of a locked AC signal"
    formula: ClassVar[str] = "(1 + cK)/(1 − cK), K = e^{−T/T2}·cos(2πγ·gain·x·|Y|cos(arg Y + phase))"
    axis_unit: ClassVar[str] = "T"
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("gain", "1", "field for each tesla asked", minimum=0.0, essential=True, default=1.0),
        _T2, _CONTRAST,
    )  # fmt: skip

    def _frame(self) -> Toggling:
        return self.toggled(np.array([self.known("spacing")]), self.known("blocks"))

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the ratio at asked amplitudes x (T)."""
        lasts = len(QUARTERS) * self.known("blocks") * self.known("spacing")
        kept = self.kept(self._frame(), self.known("frequency"), theta["gain"] * np.asarray(x))
        return self.shown(theta, kept * np.exp(-lasts / theta["T2"]))

    def _turn(self, x: Curve) -> float:
        """Return by how many rad the largest asked amplitude turns the spin at a gain of 1."""
        response = self._frame().response(TWO_PI * self.known("frequency"))
        return (
            TWO_PI
            * GAMMA_NV
            * float(np.max(np.abs(x)))
            * float(np.abs(np.linalg.norm(response, axis=-1)).mean())
        )

    def guess(self, x: Curve, y: Curve, error: Curve) -> list[dict[str, float]]:
        """Scan gains in steps of half a radian of the largest amplitude."""
        turn = max(self._turn(x), 1e-3)
        count = int(np.clip(4 * turn * 2, 40, 400))
        return self.scanned(
            x, y, error, [{"gain": float(g), "T2": self.known("T2")} for g in np.linspace(0.1, 4, count)]
        )

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return a part of a fringe over the sweep."""
        del theta
        return {"gain": 0.2 / max(self._turn(x), 1e-300)}

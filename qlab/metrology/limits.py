"""The standard quantum limit and the Heisenberg limit, for the resources that a measurement used."""

import math
from dataclasses import dataclass

from qlab.errors import UsageError


@dataclass(frozen=True)
class Resources:
    """What a measurement used: `particles` per repetition, each passing the phase `passes` times, `repetitions`.

    `interrogation` (s) is how long each pass gathers phase, `cycle` (s) how long a repetition takes with all
    overhead (default: passes · interrogation).
    """

    particles: float = 1.0
    repetitions: float = 1.0
    passes: float = 1.0
    interrogation: float = 1.0
    cycle: float | None = None

    def __post_init__(self) -> None:
        if min(self.particles, self.repetitions, self.passes) <= 0 or self.interrogation <= 0:
            raise UsageError("A measurement uses something.", "Give numbers and a time above 0.")

    @property
    def time(self) -> float:
        """All the time it took, in s."""
        each = self.passes * self.interrogation if self.cycle is None else self.cycle
        return self.repetitions * each

    @property
    def total(self) -> float:
        """Uses of the phase altogether: particles · passes · repetitions."""
        return self.particles * self.passes * self.repetitions


@dataclass(frozen=True)
class Limits:
    """Least standard deviations: `standard` without correlations, `heisenberg` with the best ones.

    In a repetition of its own each; `unit` says of what. `sensitivity_*` are times √(all the time), per √Hz.
    """

    standard: float
    heisenberg: float
    unit: str
    time: float

    @property
    def sensitivity_standard(self) -> float:
        """The standard quantum limit per √Hz, overhead included."""
        return self.standard * math.sqrt(self.time)

    @property
    def sensitivity_heisenberg(self) -> float:
        """The Heisenberg limit per √Hz, overhead included."""
        return self.heisenberg * math.sqrt(self.time)


def phase_limits(used: Resources) -> Limits:
    """Return the limits of a phase (rad): 1/√(ν N p) and 1/(N p √ν).

    Passes count like particles: a phase passed p times by one particle is as good as p correlated ones.
    Sources: Giovannetti, Lloyd and Maccone, Nat. Photon. 5, 222 (2011); Higgins, Nature 450, 393 (2007).
    """
    each = used.particles * used.passes
    return Limits(1 / math.sqrt(used.total), 1 / (each * math.sqrt(used.repetitions)), "rad", used.time)


def frequency_limits(used: Resources) -> Limits:
    """Return the limits of a frequency (Hz): those of the phase over 2π times the interrogation.

    Coherent, passes in sequence: the standard limit with p passes of T each is that of the phase gathered
    over p·T by N independent particles, 1/(2π p T √(νN)).
    """
    single = 1 / math.sqrt(used.particles * used.repetitions)
    gathered = 2 * math.pi * used.interrogation * used.passes
    many = 1 / (used.particles * math.sqrt(used.repetitions))
    return Limits(single / gathered, many / gathered, "Hz", used.time)


def field_limits(used: Resources, gamma: float, delta_m: float = 1.0) -> Limits:
    """Return the limits of a field (T) for a gyromagnetic ratio γ (Hz/T) between levels Δm apart."""
    frequency = frequency_limits(used)
    scale = gamma * delta_m
    return Limits(frequency.standard / scale, frequency.heisenberg / scale, "T", used.time)


@dataclass(frozen=True)
class DephasedLimits:
    """Least errors δω (rad/s) with dephasing: at the best times `time_product`, `time_ghz` (s) both equal `product`.

    `ultimate` is the least of any entangled state: a factor √e better, however many particles.
    """

    product: float
    ultimate: float
    time_product: float
    time_ghz: float


def dephased_frequency_limits(particles: float, rate: float, total_time: float) -> DephasedLimits:
    """Return what N particles that dephase at `rate` γ (1/s; coherence e^{−γt}) reach in `total_time` (s).

    Product and GHZ states alike √(2γe/(N T)), at t = 1/(2γ) and 1/(2Nγ); any state √(2γ/(N T)).
    Sources: Huelga et al., PRL 79, 3865 (1997); Escher, Nat. Phys. 7, 406 (2011); physics.md P21.
    """
    ultimate = math.sqrt(2 * rate / (particles * total_time))
    return DephasedLimits(ultimate * math.sqrt(math.e), ultimate, 1 / (2 * rate), 1 / (2 * particles * rate))


def spin_projection_noise(particles: float, probability: float = 0.5) -> float:
    """Return √(p(1−p)/N): the standard deviation of a measured fraction of N independent spins."""
    return math.sqrt(probability * (1 - probability) / particles)


def photon_shot_noise(rate: float, time: float) -> float:
    """Return 1/√(R t): the relative standard deviation of a Poisson count of rate R (1/s) in t (s)."""
    return 1 / math.sqrt(rate * time)


def clock_projection_noise(
    frequency: float, interrogation: float, particles: float, contrast: float, cycle: float, tau: float
) -> float:
    """Return σ_y(τ) = 1/(2π ν0 T C √N)·√(T_c/τ): Ramsey clock at projection noise (times in s, ν0 in Hz).

    Sources: Itano PRA 47, 3554 (1993); Ludlow RMP 87, 637 (2015); physics.md P15.
    """
    single = 1 / (2 * math.pi * frequency * interrogation * contrast * math.sqrt(particles))
    return single * math.sqrt(cycle / tau)


def vapour_projection_limit(
    density: float, volume: float, T2: float, gamma: float, time: float = 1.0
) -> float:
    """Return δB = 1/(γ √(n V T2 t)) in T for n (1/m³), V (m³), T2 and t (s), γ in rad/(s T).

    Source: Budker and Romalis, Nat. Phys. 3, 227 (2007), eq. 1; physics.md P27.
    """
    return 1 / (gamma * math.sqrt(density * volume * T2 * time))

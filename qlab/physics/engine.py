"""The engine: a timeline played on a system, for all sweep points at once, with its noise averaged exactly."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from qlab.errors import UsageError
from qlab.physics.levels import Floats, LevelSystem
from qlab.physics.modulated import Train, is_train
from qlab.physics.player import Player
from qlab.physics.segments import cut
from qlab.physics.stack import stacks
from qlab.physics.tones import Modulated
from qlab.pulses.timeline import Timeline

SOLVERS = ("batched", "qutip")
MOST_POINTS = 1000  # played together, which bounds the memory of large sweeps


@dataclass(frozen=True)
class Readout:
    """What a detector sees in one shot.

    With `probability` (points, m) outcome m, then `means[key]` (points, m) photons on average in each window.
    """

    probability: Floats
    means: Mapping[str, Floats]

    def expected(self, key: str) -> Floats:
        """Return the mean counts in one shot; shape (points,)."""
        return np.asarray((self.probability * self.means[key]).sum(axis=-1))

    def transfer(self) -> Floats:
        """Return the probability of the last outcome (out of the bright state); shape (points,)."""
        return self.probability[:, -1]


def play(system: LevelSystem, timeline: Timeline, solver: str = "batched") -> Readout:
    """Return what the detector sees at each point of a timeline; see `Readout`.

    `solver`: "batched" propagates all points together, "qutip" has QuTiP solve each by itself (see
    `qlab.physics.judge`); they agree to 1e-7. Drive frequency and laser power are the setpoints
    `microwave.frequency` (Hz) and `laser.power` (W).
    Raises UsageError for what the engine cannot play exactly.
    """
    _check(timeline)
    player, trained = _players(solver)
    tones = system.tones(timeline.setpoints) if isinstance(system, Modulated) else ()
    count = len(timeline)
    blocks = system.blocks()
    labels = 1 + max(int(block.labels.max()) for block in blocks)
    probability = np.zeros((count, labels))
    means: dict[str, Floats] = {}
    alike = tuple(stacks(blocks))
    for start in range(0, count, MOST_POINTS):
        chunk = timeline.take(slice(start, start + MOST_POINTS))
        for group, segments in cut(chunk):
            part, rows = chunk.take(group), start + group
            here = tuple(tone.take(rows) for tone in tones)
            for stack in alike:
                if is_train(segments, here):
                    shares, seen = trained(system, stack, part, segments, here).play(labels)
                else:
                    shares, seen = player(system, stack, part, segments).play(labels)
                probability[rows] += shares
                for key, values in seen.items():
                    total = means.setdefault(key, np.zeros((count, labels)))
                    total[rows] += float(stack.weights.sum()) * values
    return Readout(np.clip(probability, 0.0, 1.0), means)


def _players(solver: str) -> tuple[type[Player], type[Train]]:
    check_solver(solver)
    if solver == "batched":
        return Player, Train
    from qlab.physics.judge import QutipPlayer, QutipTrain

    return QutipPlayer, QutipTrain


def check_solver(solver: str) -> str:
    """Return the name of a solver; raise UsageError where there is none of that name."""
    if solver not in SOLVERS:
        raise UsageError(f"There is no solver {solver!r}.", f"There are: {', '.join(SOLVERS)}.")
    return solver


def _check(timeline: Timeline) -> None:
    """Refuse values that no source can have; a source that is off has a power of minus infinity."""
    numbers = {name: v for name, v in timeline.setpoints.items() if name != "microwave.power"}
    for event in timeline.events:
        numbers[f"the {event.kind} on {event.channel}"] = event.amplitude + event.phase + event.frequency
    for name, values in numbers.items():
        if not np.all(np.isfinite(values)):
            raise UsageError(f"{name} is not finite.", "Check the sweep.")
    if np.any(np.isnan(timeline.setpoints.get("microwave.power", np.zeros(1)))):
        raise UsageError("microwave.power is not a number.", "Check the sweep.")
    power = timeline.setpoints.get("laser.power", np.zeros(1))
    if np.any(power < 0):
        raise UsageError("laser.power is negative.", "A laser's power is 0 or more.")
    if np.any(power != power[0]):
        raise UsageError("The laser power cannot be swept within one program.", "Scan it from outside.")

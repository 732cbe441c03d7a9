"""Worlds of one's own: any system given as QuTiP objects, behind a player, its parameters and a detector of clicks."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from qlab.errors import UsageError
from qlab.physics.path import Path
from qlab.physics.systems.custom import UserSystem
from qlab.pulses import Timeline
from qlab.units import parse_quantity
from qlab_instruments.worlds.seeded import SeededWorld

CLICKS = 6  # random stream


class UserWorld(SeededWorld):
    """A user's system as the hidden truth of a bench.

    A plug-in file makes a world with `UserWorld.of(system)`; every parameter of the system is a truth that `--truth
    NAME=VALUE` replaces, and a knob `sample.NAME` that an experiment sweeps adds to it. Each shot clicks or not.
    """

    build: ClassVar[Callable[..., UserSystem]]
    names: ClassVar[Mapping[str, float]] = {}
    units: ClassVar[Mapping[str, str]] = {}

    def __init__(self, truth: Mapping[str, float | str]) -> None:
        super().__init__()
        unknown = [name for name in truth if name not in self.names]
        if unknown:
            raise UsageError(
                f"This world has no {unknown[0]!r}.", f"Its truth has: {', '.join(self.names) or 'nothing'}."
            )
        self.values = {
            name: _number(truth.get(name, value), self.units.get(name, "1"))
            for name, value in self.names.items()
        }
        self.system = type(self).build(**self.values)

    @classmethod
    def of(
        cls,
        build: "UserSystem | Callable[..., UserSystem]",
        units: Mapping[str, str] | None = None,
        **defaults: float,
    ) -> "type[UserWorld]":
        """Return a world for a system, or for a function that makes one from named numbers with these defaults."""
        maker: Callable[..., UserSystem]
        if isinstance(build, UserSystem):
            system = build
            defaults = {**dict.fromkeys(system.terms, 0.0), **system.parameters}
            maker = partial(_with, system)
        else:
            maker = build
        maker(**defaults)  # a mistake shows here, and not at the first shot
        members = {
            "build": staticmethod(maker),
            "names": defaults,
            "units": dict(units or {}),
            "__doc__": cls.__doc__,
        }
        return type("OwnWorld", (cls,), members)

    def settings(self) -> dict[str, float]:
        """Return the numbers of the system."""
        return dict(self.values)

    def detect(self, timeline: Timeline, *, single: bool = False) -> dict[str, NDArray[Any]]:
        """Return how many shots clicked at each point."""
        del single
        click = self.probability(timeline)
        counts = np.array([
            self.stream(CLICKS, self.rows + i).binomial(timeline.shots, p) for i, p in enumerate(click)
        ])  # fmt: skip
        return {event.key: counts for event in timeline.events if event.kind == "acquire"}

    def probability(self, timeline: Timeline) -> NDArray[np.float64]:
        """Return the probability of a click at each point; (points,)."""
        return self.system.probability(self._shifted(timeline), self.solver)

    def path(self, timeline: Timeline, point: int) -> Path:
        """Return the state along one point of a timeline, up to its readout."""
        return self.system.path(self._shifted(timeline), point)

    def _shifted(self, timeline: Timeline) -> Timeline:
        """Return a timeline whose knobs of the sample are added to the truth."""
        shifted = dict(timeline.setpoints)
        for name in self.system.terms:
            moved = shifted.get(f"sample.{name}", np.zeros(len(timeline)))
            shifted[f"sample.{name}"] = moved + self.system.parameters.get(name, 0.0)
        return replace(timeline, setpoints=shifted)


def _with(system: UserSystem, **parameters: float) -> UserSystem:
    return replace(system, parameters=parameters)


def _number(value: float | str, unit: str) -> float:
    return parse_quantity(value, unit) if isinstance(value, str) else float(value)

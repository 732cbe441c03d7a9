"""The digital twin as a fit model: an experiment played on a System whose parameters are fitted to the data."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from itertools import product
from typing import Any, ClassVar, Protocol

import numpy as np

from qlab.errors import UsageError
from qlab.fits.model import Curve, FitModel, Theta, Variable
from qlab.record import Axis, Signal

Change = Callable[[Any, float], Any]


class Playable(Protocol):
    """An experiment that knows what a System would show: all that a twin asks of it."""

    @property
    def parameters(self) -> Any:
        """Its parameters, with `scans()` by name."""
        ...

    def axes(self) -> tuple[Axis, ...]:
        """Return its axes."""
        ...

    def signals(self) -> tuple[Signal, ...]:
        """Return its signals, the default one first."""
        ...

    def model(self, system: Any) -> dict[str, Any]:
        """Return what the system would show without noise, each (points,)."""
        ...


@dataclass(frozen=True)
class Unknown:
    """One parameter of a System that is fitted.

    `starts`: where to begin; several are all tried. `change` returns the System with another value; by default
    the field of this name is replaced. `scale` is a change that matters (by default a hundredth of the start).
    """

    name: str
    starts: Sequence[float]
    unit: str = "1"
    label: str = ""
    minimum: float = -np.inf
    maximum: float = np.inf
    scale: float = 0.0
    change: Change | None = None

    def put(self, system: Any, value: float) -> Any:
        """Return the system with this value; UsageError where it has no such field."""
        if self.change is not None:
            return self.change(system, value)
        if not is_dataclass(system) or self.name not in {f.name for f in fields(system)}:
            raise UsageError(
                f"A {type(system).__name__} has no {self.name!r} to fit.", "Give the Unknown a `change`."
            )
        return replace(system, **{self.name: value})  # type: ignore[type-var]


@dataclass(frozen=True)
class Twin(FitModel):
    """A System as the fit model of an experiment: y is what the experiment's own program shows on it.

    No formula stands between the data and the physics: pulses of finite length, hyperfine lines, light shift,
    relaxation and the optical readout are those of the System. `level` multiplies the curve where `free_level`
    is in the context (counts on a detector of unknown efficiency), else it is 1.
    """

    name: ClassVar[str] = "world"
    title: ClassVar[str] = "Digital twin"
    formula: ClassVar[str] = "experiment.model(system)"
    feature: ClassVar[str] = "signal"
    experiment: Any = None
    system: Any = None
    unknowns: tuple[Unknown, ...] = ()
    signal: str = ""
    _played: "OrderedDict[bytes, Any]" = field(default_factory=OrderedDict, compare=False, repr=False)

    @property
    def parameters(self) -> tuple[Variable, ...]:  # type: ignore[override]
        """The unknowns, and the level."""
        found = tuple(
            Variable(u.name, u.unit, u.label or u.name, u.minimum, u.maximum, default=float(u.starts[0]))
            for u in self.unknowns
        )
        return (*found, Variable("level", "1", "level", minimum=0.0, default=1.0, free=False))

    def with_values(self, theta: Theta) -> Any:
        """Return the System with the values of theta."""
        system = self.system
        for unknown in self.unknowns:
            system = unknown.put(system, float(theta[unknown.name]))
        return system

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return what the experiment shows at x, its one swept axis; same shape as x.

        NaN where the System cannot have these values, or the engine cannot play on it.
        """
        points, back = np.unique(np.asarray(x, dtype=float), return_inverse=True)
        signal = self.signal or self.experiment.signals()[0].name
        try:
            curve = np.asarray(self._at(points).model(self.with_values(theta))[signal], dtype=float)
        except UsageError:
            return np.full(np.shape(x), np.nan)
        return np.asarray(theta["level"] * curve[back.reshape(-1)])

    def _at(self, points: Curve) -> Any:
        """Return the experiment over these points of its axis."""
        key = points.tobytes()
        if key not in self._played:
            from qlab.scan import Values

            (axis,) = self.experiment.axes()
            scan = Values(given=tuple(float(v) for v in points))
            values = self.experiment.parameters.model_copy(update={axis.name: scan})
            self._played[key] = type(self.experiment)(values)
            while len(self._played) > 4:
                self._played.popitem(last=False)
        return self._played[key]

    def guess(self, x: Curve, y: Curve, error: Curve) -> list[dict[str, float]]:
        """Play every combination of starts, and return the three that meet the data best."""
        tried: list[tuple[float, dict[str, float]]] = []
        for values in product(*(u.starts for u in self.unknowns)):
            theta = dict(zip((u.name for u in self.unknowns), map(float, values), strict=True))
            residual = self.residual(x, y, error, {**theta, "level": self.known("level")})
            chi2 = float(np.sum(residual**2))
            tried.append((chi2 if np.isfinite(chi2) else np.inf, theta))
        return [theta for _, theta in sorted(tried, key=lambda item: item[0])[:3]]

    def scales(self, x: Curve, theta: Theta) -> dict[str, float]:
        """Return the change that matters for each unknown."""
        del x, theta
        return {u.name: u.scale or 0.01 * abs(float(u.starts[0])) or 1.0 for u in self.unknowns}


def along(direction: Sequence[float], attribute: str = "field") -> Change:
    """Return how to set the strength of a vector of a System whose direction is known, such as its field."""
    unit = np.asarray(direction, dtype=float) / np.linalg.norm(direction)

    def change(system: Any, value: float) -> Any:
        return replace(system, **{attribute: tuple(float(part) for part in value * unit)})

    return change


@dataclass(frozen=True)
class Together(FitModel):
    """Several twins that share their unknowns, fitted to all their data at once.

    x of a point says which experiment it belongs to and where: `stack` makes x from a list of x.
    """

    name: ClassVar[str] = "worlds"
    title: ClassVar[str] = "Digital twin of several experiments"
    formula: ClassVar[str] = "experiment_i.model(system)"
    feature: ClassVar[str] = "signal"
    twins: tuple[Twin, ...] = ()
    points: tuple[tuple[float, ...], ...] = ()

    @property
    def parameters(self) -> tuple[Variable, ...]:  # type: ignore[override]
        """The unknowns of all twins, each once."""
        found: dict[str, Variable] = {}
        for twin in self.twins:
            found |= {v.name: v for v in twin.parameters}
        return tuple(found.values())

    @property
    def x(self) -> Curve:
        """The number of each point, over all experiments."""
        return np.arange(float(sum(len(part) for part in self.points)))

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the curves of all experiments, one after the other, at the points numbered x."""
        whole = np.concatenate([
            twin.evaluate(np.array(points), theta) for twin, points in zip(self.twins, self.points, strict=True)
        ])  # fmt: skip
        return np.asarray(whole[np.asarray(x, dtype=int)])

    def guess(self, x: Curve, y: Curve, error: Curve) -> list[dict[str, float]]:
        """Play every combination of starts on all experiments, and return the three that meet the data best."""
        tried: list[tuple[float, dict[str, float]]] = []
        unknowns = {u.name: u for twin in self.twins for u in twin.unknowns}
        for values in product(*(u.starts for u in unknowns.values())):
            theta = dict(zip(unknowns, map(float, values), strict=True))
            residual = self.residual(x, y, error, {**theta, "level": 1.0})
            chi2 = float(np.sum(residual**2))
            tried.append((chi2 if np.isfinite(chi2) else np.inf, theta))
        return [theta for _, theta in sorted(tried, key=lambda item: item[0])[:3]]

    def scales(self, x: Curve, theta: Theta) -> dict[str, float]:
        """Return the change that matters for each unknown."""
        found: dict[str, float] = {}
        for twin in self.twins:
            found |= twin.scales(x, theta)
        return found


def together(twins: Sequence[Twin], xs: Sequence[Curve]) -> Together:
    """Return the model of several twins over the points of each; fit it over its `x` to all y, one after another."""
    points = tuple(tuple(float(v) for v in np.ravel(x)) for x in xs)
    return Together(twins=tuple(twins), points=points)


def twin_of(
    experiment: Playable,
    system: Any,
    unknowns: Sequence[Unknown],
    *,
    context: Mapping[str, float] | None = None,
) -> Twin:
    """Return the digital twin of an experiment with one swept axis: a fit model for its default signal.

    Raises UsageError where the experiment has another number of axes or no model, or an unknown has no start.
    """
    if len(experiment.axes()) != 1 or not hasattr(experiment, "model"):
        raise UsageError(
            f"{type(experiment).__name__} has no twin to fit.",
            "It needs one swept axis and a `model(system)`.",
        )
    missing = [u.name for u in unknowns if not len(u.starts)]
    if missing or not unknowns:
        raise UsageError(
            f"No start is given for {', '.join(missing) or 'anything'}.", "Give each Unknown `starts`."
        )
    for unknown in unknowns:
        unknown.put(system, float(unknown.starts[0]))
    return Twin(context=dict(context or {}), experiment=experiment, system=system, unknowns=tuple(unknowns))

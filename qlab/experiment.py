"""An experiment: parameters, the roles it needs, its axes and signals, and `run()`, which yields what it measured."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Generic, Self, TypeVar, get_args, get_origin, get_type_hints

import numpy as np

from qlab.bench import Bench
from qlab.errors import UsageError
from qlab.metrology.curves import Curve
from qlab.parameters import Parameters
from qlab.playing import check_limits, play, split_shots
from qlab.pulses import Program, compile_program
from qlab.record import Axis, Block, Column, Figure, FitResult, Signal, Stream
from qlab.roles import ShotCounter, lacks, misread
from qlab.runs import Run
from qlab.shots import KeepShots, kept, kept_columns

P = TypeVar("P", bound=Parameters)
Blocks = Iterator[Block]
FigureFunction = Callable[["Experiment[Any]", Run, FitResult], list[Figure]]


class Experiment(Generic[P]):
    """One protocol. Subclasses annotate the roles they need (`player: PulsePlayer`) and write `run`.

    Each `yield` of `run` is whole rows: a checkpoint for pause and stop, a write, and something to draw. An empty
    block (`{}`) is a checkpoint alone, for whoever waits long.
    There is no `if simulated` in any experiment: a role is a role.
    """

    title: ClassVar[str] = ""
    group: ClassVar[str] = ""
    fit: ClassVar[str] = ""
    figures: ClassVar[tuple[FigureFunction, ...]] = ()
    quantum: ClassVar[Mapping[str, str]] = {}
    preset: ClassVar[str] = ""  # the simulated bench on which it can be tried
    on_own_systems: ClassVar[bool] = False  # its `model` takes the world of somebody's own physics

    def __init__(self, parameters: P) -> None:
        self.parameters = parameters
        self.fit_model = type(self).fit
        self.bench: Bench | None = None
        self.on_program: Callable[[Program], None] | None = None
        self.on_rounding: Callable[[str], None] | None = None  # hears what the player makes of a program
        self.between: Callable[[], bool] | None = None  # called between passes; True where knobs were moved
        self.more = 0  # passes added to those of the parameters

    @classmethod
    def parameters_type(cls) -> type[P]:
        """Return the class of the parameters."""
        for owner in cls.__mro__:
            for base in getattr(owner, "__orig_bases__", ()):
                for argument in get_args(base):
                    if isinstance(argument, type) and issubclass(argument, Parameters):
                        return argument  # type: ignore[return-value]
        raise UsageError(f"{cls.__name__} names no Parameters.", "Write Experiment[MyParameters].")

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """Return the experiment with parameters as typed; raise UsageError for a bad one."""
        return cls(cls.parameters_type().read(values))

    @classmethod
    def roles(cls) -> dict[str, type]:
        """Return the roles asked for: attribute name -> protocol."""
        found: dict[str, type] = {}
        for name, hint in get_type_hints(cls).items():
            if get_origin(hint) is None and getattr(hint, "_is_protocol", False):
                found[name] = hint
        return found

    def bind(self, bench: Bench) -> None:
        """Take the roles from a bench; raise UsageError for the first that is missing or does not fit."""
        for name, protocol in self.roles().items():
            instrument = bench.role(name)
            if instrument is None:
                raise UsageError(
                    f"This experiment needs a {protocol.__name__} in the role {name!r}; bench {bench.name!r} has none.",
                    f"Add `{name} = ...` under [roles] of the bench.",
                )
            missing = lacks(instrument, protocol)
            if missing:
                raise UsageError(
                    f"{instrument.name} cannot be the {name!r}: a {protocol.__name__} needs {', '.join(missing)}.",
                    "Give the role to another instrument.",
                )
            wrong = misread(instrument, protocol)
            if wrong:
                raise UsageError(
                    f"{instrument.name} cannot be the {name!r} of a {protocol.__name__}: {'; '.join(wrong)}.",
                    "Give it the unit by `scale`, or by an overlay, in the bench file.",
                )
            setattr(self, name, instrument)
        self.bench = bench

    def program(self) -> Program | None:
        """Return the program of an experiment that plays one; None for one that does something else."""
        return None

    def run(self) -> Blocks:
        """Yield blocks of whole rows, as they are measured; by default, play the program."""
        program = self.program()
        if program is None:
            raise NotImplementedError(f"{type(self).__name__} has neither a program nor a run")
        yield from self.play(program)

    def preflight(self) -> None:
        """Raise UsageError for what cannot be played or lies outside a limit, before the first command."""
        program = self.program()
        if program is not None and self.bench is not None:
            check_limits(self.bench, compile_program(program))
            keep = getattr(self.parameters, "keep_shots", "off")
            if keep != "off" and not isinstance(self.bench.role("counter"), ShotCounter):
                raise UsageError(
                    "The counter of this bench gives sums over shots only.", "Set keep_shots to off."
                )

    def play(self, program: Program, passes: int = 0) -> Blocks:
        """Play a program on the bench's player and counter; yield its rows pass by pass.

        In the passes of the parameters and those added; with `passes` in so many and no more, for an experiment
        that counts its passes itself (`each_pass`).
        """
        if self.bench is None:
            raise UsageError("The experiment is not bound to a bench.", "Call bind(bench) first.")
        if self.on_program is not None:
            self.on_program(program)
        keep: KeepShots = getattr(self.parameters, "keep_shots", "off")
        counter = self.bench.role("counter")
        if isinstance(counter, ShotCounter):
            counter.keep_shots(keep != "off")
        added = (lambda: 0) if passes else (lambda: self.more)
        blocks = play(
            self.bench,
            program,
            passes or self.passes,
            more=added,
            between=self.between,
            told=self.on_rounding,
        )
        if keep == "off":
            yield from blocks
            return
        keys, most = _windows(program), self.shots_in_row(program)
        for block in blocks:
            yield kept(keep, block, keys, most)

    def each_pass(self) -> Iterator[int]:
        """Count the passes of an experiment that sweeps by itself, those included that are added on the way."""
        number = 0
        while number < self.passes + self.more:
            yield number
            number += 1

    def shots_in_row(self, program: Program) -> int:
        """Return the most shots that a row has."""
        return max(split_shots(program.shots, self.passes))

    def shot_columns(self) -> tuple[Column, ...]:
        """Return the columns for what the parameters ask to keep of the single shots (`keep_shots`)."""
        keep: KeepShots = getattr(self.parameters, "keep_shots", "off")
        program = self.program() if keep != "off" else None
        return kept_columns(keep, _windows(program), self.shots_in_row(program)) if program else ()

    @property
    def passes(self) -> int:
        """Over how many sweeps the shots are split."""
        return int(getattr(self.parameters, "passes", 1))

    @property
    def can_extend(self) -> bool:
        """Whether passes can be added to it: it plays a program, or its parameters have passes."""
        return "passes" in type(self.parameters).model_fields or self.program() is not None

    def extended(self, program: Program) -> Program:
        """Return a program with the shots of all passes, those included that were added."""
        shots = split_shots(program.shots, self.passes)
        return program.with_shots(program.shots + self.more * shots[0])

    def uses(self) -> frozenset[str]:
        """Return the names of the instruments that the run owns: those in its roles, and those its program sets."""
        if self.bench is None:
            return frozenset()
        roles = set(self.roles())
        program = self.program()
        if program is not None:
            roles |= {"player", "counter"} | {name.partition(".")[0] for name in program.setpoints}
        found = (self.bench.role(role) for role in roles)
        return frozenset(instrument.name for instrument in found if instrument is not None)

    def columns(self) -> tuple[Column, ...]:
        """Return the columns of its rows: setpoints of the axes, then what is measured, time and valid."""
        return (
            *(Column(name=a.name, unit=a.unit, long_name=a.long_name, role="setpoint") for a in self.axes()),
            *self.measured(),
            *self.shot_columns(),
            Column(name="time", unit="s", long_name="time since the start of the run", role="time"),
            Column(name="valid", unit="1", long_name="row accepted", role="valid", dtype="i1"),
        )

    def measured(self) -> tuple[Column, ...]:
        """Return the columns that are measured."""
        raise NotImplementedError

    def streams(self) -> tuple[Stream, ...]:
        """Return the streams that it records beside its rows: time tags, a slow channel."""
        return ()

    def axes(self) -> tuple[Axis, ...]:
        """Return the axes of the gridded view: by default one for each swept parameter."""
        kind = type(self.parameters)
        return tuple(
            Axis(
                name=name,
                unit=scan.unit,
                long_name=(kind.model_fields[name].title or name).lower(),
                values=tuple(float(v) for v in scan.values()),
            )
            for name, scan in self.parameters.scans().items()
        )

    def signals(self) -> tuple[Signal, ...]:
        """Return the signals of the gridded view, the default one first."""
        raise NotImplementedError

    def fit_context(self) -> dict[str, float]:
        """Return what the fit model needs to know and does not fit, by name, in SI units."""
        return {}

    def estimate(self) -> tuple[int, float]:
        """Return how many rows the run will have and how many seconds it will take."""
        program = self.program()
        if program is None:
            return int(np.prod([len(axis.values) for axis in self.axes()])), 0.0
        timeline = compile_program(program)
        passes = len(split_shots(program.shots, self.passes))
        return len(timeline) * passes, float(timeline.duration.sum()) * 1e-12 * program.shots

    def expected(self, truth: Mapping[str, float]) -> dict[str, float]:
        """Return what the fit should find on a simulated bench with this truth, by name of the fit parameter."""
        del truth
        return {}

    def believed(self, known: Mapping[str, float]) -> Any:
        """Return the system that the design believes in, as `model` takes it; None where there is none.

        `known`: what is known of it, by the names of a bench's truth, in SI units; the rest is up to the parameters.
        """
        del known
        return None

    def model(self, system: Any) -> Mapping[str, Any]:
        """Return what a system would show without noise, by signal; each in the order of the axes."""
        raise NotImplementedError

    def curves(self, run: Run) -> tuple[Curve, ...]:
        """Return curves with confidence bands and limits: an Allan deviation, a spectrum; by default none."""
        del run
        return ()

    def analyse(self, run: Run, fit: FitResult | None) -> tuple[Figure, ...]:
        """Return the figures of merit of a run."""
        if fit is None or not fit.success:
            return ()
        return tuple(figure for function in type(self).figures for figure in function(self, run, fit))


def _windows(program: Program) -> tuple[str, ...]:
    """Return the keys of the acquisition windows."""
    events = compile_program(program).events
    return tuple(dict.fromkeys(event.key for event in events if event.kind == "acquire"))

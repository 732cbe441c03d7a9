"""Chores: the upkeep steps of a run, done when they are due, between its passes or rows."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlab.bench import Bench
from qlab.errors import UsageError
from qlab.experiment import Experiment
from qlab.instrument import Instrument
from qlab.provenance import new_record
from qlab.record import Block, Column, FitResult, Record, Stream, divided
from qlab.registry import load
from qlab.running.ledger import Ledger
from qlab.runs import Run
from qlab.upkeep import Upkeep

_PLACE = (
    Column(name="step", dtype="i4", role="reduced", long_name="which time the step was done, from 0"),
    Column(name="after_row", dtype="i8", role="reduced", long_name="rows of the run that came before"),
)


@dataclass(frozen=True)
class _Rows:
    """The rows of one upkeep step, in memory."""

    columns: Mapping[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def column(self, name: str) -> NDArray[Any]:
        return self.columns[name]


@dataclass
class _Chore:
    """One upkeep step, and when it was done last."""

    upkeep: Upkeep
    experiment: Experiment[Any]
    record: Record
    stream: Stream  # where its rows go
    done: int = 0
    row: int | None = None
    time: float = 0.0
    first: dict[str, float] = field(default_factory=dict)

    def due(self, row: int, now: float) -> bool:
        if self.row is None:
            if self.upkeep.at_start:
                return True
            self.row, self.time = row, now
        points, seconds = self.upkeep.every_points, self.upkeep.every_seconds
        return (points is not None and row - self.row >= points) or (
            seconds is not None and now - self.time >= seconds
        )


class Chores:
    """All upkeep of one run. Made before the run, so that what cannot be done is refused before the first command."""

    def __init__(
        self, bench: Bench, steps: Sequence[Upkeep], ledger: Ledger, main: Experiment[Any], seed: int | None
    ) -> None:
        self._bench, self._ledger = bench, ledger
        self._chores = [self._chore(step, main, seed, n) for n, step in enumerate(steps, start=1)]
        self.idle = not self._chores
        self.take: Callable[[Block], object] | None = None  # where what was measured goes
        self._busy = False

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The streams that the steps write, one each: every row that they measured."""
        return tuple(chore.stream for chore in self._chores)

    def _chore(self, step: Upkeep, main: Experiment[Any], seed: int | None, number: int) -> _Chore:
        kind: type[Experiment[Any]] = load("experiments", step.experiment)
        experiment = kind.read(step.parameters)
        experiment.bind(self._bench)
        experiment.preflight()
        for knob in (*step.set, *step.track):
            self._bench.find(knob)
        if step.set or step.track:
            self._check_swept(step, main)
        record = new_record(experiment, step.experiment, self._bench, 0, seed, step.name, "upkeep")
        if (step.set or step.track) and not record.fit:
            raise UsageError(
                f"The upkeep {step.name!r} is to set knobs, and {step.experiment} has no fit.",
                "Choose an experiment with a fit.",
            )
        stream = Stream(
            name=f"upkeep_{number}", axis="upkeep_point", columns=(*record.columns, *_PLACE),
            long_name=f"row of {step.experiment}, measured by the upkeep {step.name!r}",
        )  # fmt: skip
        return _Chore(step, experiment, record, stream)

    def _check_swept(self, step: Upkeep, main: Experiment[Any]) -> None:
        program = main.program()
        swept = (
            {name for name, value in program.setpoints.items() if hasattr(value, "sweeps")}
            if program
            else set()
        )
        planned = set(program.setpoints) if program else set()
        for knob in (*step.set, *step.track):
            if knob in swept or (knob in step.set and knob in planned):
                what = "is what the run sweeps" if knob in swept else "is set by the program of the run"
                raise UsageError(
                    f"The upkeep {step.name!r} cannot move {knob}: it {what}.",
                    "Track it, or choose another knob." if knob not in swept else "Choose another knob.",
                )

    def work(self, going: Callable[[], bool]) -> bool:
        """Do what is due; return whether anything was done. `going` says whether the run still goes on."""
        if self.idle or self._busy:
            return False
        done = False
        self._busy = True
        try:
            for chore in self._chores:
                if chore.due(self._ledger.row, self._bench.now()) and going():
                    self._do(chore, going)
                    done = True
        finally:
            self._busy = False
        return done

    def _do(self, chore: _Chore, going: Callable[[], bool]) -> None:
        began = self._bench.now()
        with self._ledger.by("upkeep"):
            with self._put_back():
                rows = _collect(chore.experiment.run(), going)
            # A failed step is told and logged; the instruments are where they were, and the run goes on.
            fit = self._fit(chore, rows) if rows is not None else None
            moved = self._apply(chore, fit) if fit is not None else {}
        chore.row, chore.time = self._ledger.row, self._bench.now()
        if rows is None:
            return
        self._hand_over(chore, rows)
        found = {p.name: {"value": p.value, "error": p.error} for p in fit.parameters} if fit else {}
        self._ledger.keep(
            "upkeep",
            {
                "name": chore.upkeep.name,
                "time": began,
                "row": self._ledger.row,
                "experiment": chore.upkeep.experiment,
                "success": bool(fit and fit.success),
                "found": found,
                "moved": moved,
                "stream": chore.stream.name,
                "rows": len(rows),
            },
        )

    def _hand_over(self, chore: _Chore, rows: _Rows) -> None:
        """Hand the rows of a step to the run's file."""
        count, chore.done = chore.done, chore.done + 1
        if self.take is None or not len(rows):
            return
        place = {"step": np.full(len(rows), count), "after_row": np.full(len(rows), self._ledger.row)}
        measured = {**rows.columns, **place}
        self.take({f"{chore.stream.name}.{name}": values for name, values in measured.items()})

    @contextmanager
    def _put_back(self) -> Iterator[None]:
        """Put every knob back to where it is known to have been."""
        before = {
            instrument.name: {n: instrument.known[n][0] for n in instrument.knobs() if n in instrument.known}
            for instrument in self._bench.instruments.values()
        }
        try:
            yield
        finally:
            for instrument in self._bench.instruments.values():
                _restore(instrument, before[instrument.name])

    def _fit(self, chore: _Chore, rows: _Rows) -> FitResult | None:
        if not chore.record.fit or not len(rows):
            return None
        try:
            fit = Run(chore.record, rows).fit()
        except Exception as error:  # noqa: BLE001 - a fit that fails must not end the run it serves
            self._ledger.log("warning", f"upkeep {chore.upkeep.name}: the fit failed ({error}).")
            return None
        if not fit.success:
            self._ledger.log(
                "warning", f"upkeep {chore.upkeep.name}: the fit is not believed; nothing is moved."
            )
        return fit

    def _apply(self, chore: _Chore, fit: FitResult) -> dict[str, float]:
        """Move what follows the fit; return where to."""
        moved: dict[str, float] = {}
        if not fit.success:
            return moved
        try:
            for knob, name in chore.upkeep.set.items():
                moved[knob] = self._move(knob, _value(fit, name))
            for knob, name in chore.upkeep.track.items():
                value = _value(fit, name)
                shift = value - chore.first.setdefault(knob, value)
                moved[knob] = self._shift(knob, shift)
        except UsageError as error:
            # Outside a limit: refused as from everybody else, and the run goes on where it was.
            self._ledger.log("warning", f"upkeep {chore.upkeep.name}: {error}")
        return moved

    def _shift(self, knob: str, shift: float) -> float:
        instrument, name = self._bench.find(knob)
        before = self._bench.shifts.get(knob, 0.0)
        base = float(instrument.read_knob(instrument.knobs()[name])) - before
        moved = self._move(knob, base + shift)
        self._bench.shifts[knob] = shift
        return moved

    def _move(self, knob: str, value: float) -> float:
        instrument, name = self._bench.find(knob)
        instrument.set_knob(instrument.knobs()[name], value)
        return value


def _value(fit: FitResult, name: str) -> float:
    value = fit.values.get(name, math.nan)
    if not math.isfinite(value):
        raise UsageError(f"The fit gives no {name!r}.", f"It has {', '.join(fit.values)}.")
    return value


def _restore(instrument: Instrument, before: Mapping[str, float | bool]) -> None:
    for name, value in before.items():
        knob = instrument.knobs()[name]
        now = instrument.known.get(name)
        if knob.settable and (now is None or now[0] != value):
            instrument.set_knob(knob, value)


def _collect(blocks: Iterator[Block], going: Callable[[], bool]) -> _Rows | None:
    """Return the rows of a step, or None where the run was ended on the way."""
    kept: list[Block] = []
    try:
        for block in blocks:
            rows, _ = divided(block)
            if rows:
                kept.append({name: np.array(values) for name, values in rows.items()})
            if not going():
                return None
    finally:
        blocks.close()  # type: ignore[attr-defined]
    if not kept:
        return _Rows({})
    return _Rows({name: np.concatenate([b[name] for b in kept]) for name in kept[0]})

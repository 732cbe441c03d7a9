"""A session: benches at work. Orders go in, events come out; the same interface in and out of process."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

Command = Literal["pause", "resume", "stop", "skip", "halt", "make_safe", "hold", "release"]
Event = dict[str, Any]


class After(BaseModel):
    """Wait for another run: until it has `finished`, or finished with a fit that is believed (`good_fit`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str
    needs: Literal["ended", "finished", "good_fit"] = "finished"


class Loop(BaseModel):
    """One outer loop of whole runs: over a parameter of the experiment, or a knob of the bench.

    `over` is the name of a parameter (`rabi_frequency`) or `instrument.knob` (`coil.current`); `values` is a scan as
    people type it. Loops of an order are nested, the first one outermost; a loop with `zip_with_next` steps together
    with the one after it. `order` is `given`, `random` (by the order's seed) or `adaptive`: refined where the fit
    value `refine` changes most, until `values` has been spent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    over: str
    values: str
    zip_with_next: bool = False
    order: Literal["given", "random", "adaptive"] = "given"
    refine: str = ""


class Order(BaseModel):
    """What to run: an experiment by name, its parameters as typed, the bench, and where the file goes.

    `pace` stretches a simulated run to about that many seconds so that it can be watched (None: as fast as it
    goes). `truth` overrides the hidden truth of a simulated bench, `solver` who solves it. What is wanted `now`
    (somebody pressed Run) plays next, also where the queue is held. The queue plays higher priorities first,
    nothing before its `due` time (ISO 8601, local time without an offset), nothing before the run it comes
    `after`; `repeat` is how often; `loops` make it a study: one run for each of their values, all with the same
    `study`. With a `seed` the k-th run of a study has the seed plus k. `knobs` ("instrument.knob") are set before
    the first command. Simulated benches of one name play one run at a time, as a real one would; `independent`
    asks for one of its own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    experiment: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    bench: str = "sim-nv"
    seed: int | None = None
    truth: dict[str, float | str] = Field(default_factory=dict)
    solver: str = ""
    out: str = "."
    pace: float | None = None
    title: str = ""
    now: bool = False
    priority: int = 0
    due: str = ""
    after: After | None = None
    repeat: int = 1
    loops: tuple[Loop, ...] = ()
    study: str = ""
    knobs: dict[str, float | bool | str] = Field(default_factory=dict)
    independent: bool = False


class Session(Protocol):
    """Benches at work, in this process or in child processes. No call waits for an instrument.

    Events are plain JSON dictionaries with a key `event`:

    * `ready` {catalogue: [...], benches: [...]}: the bench process is up; what it can run, and on what
      (see `qlab.catalogue.describe` and `benches`).
    * `queued` {run, order}; `started` {run, record, table, path}: the record is `Record` as JSON, the table is
      the path of the live table, the path that of the growing file.
    * `state` {run, state, reason, hint, path, record?}: each change of state; at the end with the final record
      and the final path.
    * `progress` {run, done, total, elapsed, remaining}: a few times a second.
    * `checked` {token, problems: {field: line}, rows, seconds, program}: the answer to `check`; the program is what
      would be played (None: no sequence).
    * `followed` {token, path: {times, levels: {name: populations}, pair, bloch, note}} or {token, problem}: the answer
      to `follow`; see `qlab.following`.
    * `log` {level: info|warning|error, message, run?}.
    * `safe` {report: {instrument: text}, bench, run?}: what `make_safe` did.
    * `bench` {state: starting|restarting|gone, message}: the bench process itself.
    * `queue` {held, items: [{run, order, title, state: running|waiting|blocked, why, seconds, starts, ends}]}: the
      whole queue in the order it will be played, after each change; `starts` and `ends` are ISO 8601 estimates, `why`
      says what an item waits for.
      Items also have `study` (that of a run of one), `done` and `total` (runs begun, and in all).
    * `study` {study, state, runs: [{run, number, index, values, state, path, good_fit, fit: {name: [value, error]}}]}:
      a study, or an order that repeats, has played its last run.
    * `panel` {bench, owner, instruments: {name: {kind, identity, state: open|closed|lost, message, knobs: {knob:
      {value, unit, limits, writable, doc, choices, labels, age, setpoint, strays}}}}}: what the manual panel shows
      while somebody watches it; `strays` where what is read is not what was set.
      `owner` is the run that owns the instruments ("" when they are free).
    * `watch` {bench, rules: [...], firing: [{rule, value, since, action, words}]}: the watchdogs, after each
      change; `words` say what it saw ("laser.power is 490 uW (above 400 uW)").
    """

    def submit(self, order: Order) -> str:
        """Queue a run; return its id (for a study, that of the study)."""
        ...

    def check(self, token: int, experiment: str, parameters: dict[str, Any], bench: str) -> None:
        """Ask whether parameters are good and how long the run would take; answered by a `checked` event."""
        ...

    def follow(
        self, token: int, program: Mapping[str, Any], point: int, bench: str, truth: Mapping[str, float]
    ) -> None:
        """Ask a simulated bench for the state along a program at one point of its sweep; answered by `followed`.

        `truth` replaces what is hidden in the bench (that of a run which is looked at again).
        """
        ...

    def command(self, what: Command, run: str = "") -> None:
        """Say something to a run (the current one by default) or to the queue.

        `stop` ends the run at its next checkpoint and holds the queue; `skip` ends it and goes on with the next (for a
        waiting run: takes it out); `halt` sends no further command; `make_safe` ends everything, makes the bench safe
        and holds the queue; `hold` and `release` are for the queue alone.
        """
        ...

    def extend(self, run: str, passes: int) -> None:
        """Add passes (repetitions of the whole sweep) to a run that goes or waits."""
        ...

    def arrange(self, run: str, changes: Mapping[str, Any]) -> None:
        """Change a waiting run: `position` (0 is next), `priority`, `due`, `after`, `repeat`."""
        ...

    def panel(self, bench: str, watch: bool) -> None:
        """Ask for `panel` events of a bench a few times a second, or for no more."""
        ...

    def set_knob(
        self, bench: str, instrument: str, knob: str, value: float | bool | str, *, take_over: bool = False
    ) -> None:
        """Set one knob by hand; refused with a `log` event where a limit or the run that owns it forbids it.

        `take_over` lets a knob of an instrument that a run owns be changed; the change is written into the run.
        """
        ...

    def watch(self, bench: str, rules: Sequence[Mapping[str, Any]]) -> None:
        """Replace the watchdog rules of a bench (see `qlab.watch.Rule`)."""
        ...

    def events(self) -> Sequence[Event]:
        """Return the events since the last call, without waiting."""
        ...

    def close(self) -> None:
        """Let go of the session; a run in a bench process goes on without it."""
        ...

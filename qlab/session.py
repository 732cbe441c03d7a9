"""A session: one bench at work. Orders go in, events come out; the same interface in and out of process."""

from collections.abc import Sequence
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

Command = Literal["pause", "resume", "stop", "halt", "make_safe"]
Event = dict[str, Any]


class Order(BaseModel):
    """What to run: an experiment by name, its parameters as typed, the bench, and where the file goes.

    `pace` stretches a simulated run to about that many seconds so that it can be watched (None: as fast as
    it goes). `truth` overrides the hidden truth of a simulated bench.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    experiment: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    bench: str = "sim-nv"
    seed: int | None = None
    truth: dict[str, float | str] = Field(default_factory=dict)
    out: str = "."
    pace: float | None = None
    title: str = ""


class Session(Protocol):
    """One bench at work, in this process or in a child process. No call waits for an instrument.

    Events are plain JSON dictionaries with a key `event`:

    * `ready` {catalogue: [...]}: the bench process is up; the catalogue describes each experiment
      (see `qlab.catalogue.describe`).
    * `queued` {run, order}; `started` {run, record, table, path}: the record is `Record` as JSON, the table is
      the path of the live table, the path that of the growing file.
    * `state` {run, state, reason, hint, path, record?}: each change of state; at the end with the final record
      and the final path.
    * `progress` {run, done, total, elapsed, remaining}: a few times a second.
    * `checked` {token, problems: {field: line}, rows, seconds}: the answer to `check`.
    * `log` {level: info|warning|error, message, run?}.
    * `safe` {report: {instrument: text}}: what `make_safe` did.
    * `bench` {state: starting|restarting|gone, message}: the bench process itself.
    """

    def submit(self, order: Order) -> str:
        """Queue a run; return its id."""
        ...

    def check(self, token: int, experiment: str, parameters: dict[str, Any], bench: str) -> None:
        """Ask whether parameters are good and how long the run would take; answered by a `checked` event."""
        ...

    def command(self, what: Command, run: str = "") -> None:
        """Pause, resume, stop or halt a run (the current one by default), or make the bench safe."""
        ...

    def events(self) -> Sequence[Event]:
        """Return the events since the last call, without waiting."""
        ...

    def close(self) -> None:
        """Let go of the session; a run in a bench process goes on without it."""
        ...

"""The runner: drives one experiment from its first command to a finished file and a safe bench."""

import contextlib
import contextvars
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from qlab.bench import Bench
from qlab.calls import bar
from qlab.control import Ask, Control
from qlab.errors import QlabError, RecordingError, UsageError
from qlab.experiment import Experiment
from qlab.provenance import clock, new_record
from qlab.record import ENDED, Record, State
from qlab.registry import load
from qlab.running.chores import Chores
from qlab.running.ending import analyse, verdict
from qlab.running.going import Going
from qlab.running.hands import Hands
from qlab.running.interlock import Interlock
from qlab.running.keeper import Keeper
from qlab.running.ledger import Ledger
from qlab.running.output import Output
from qlab.running.telling import Tell, Teller
from qlab.runs import Run
from qlab.store import open_run
from qlab.upkeep import Upkeep
from qlab.watch import Rule

KEPT_EVERY = 0.25  # s between two looks of the keeper


class Runner:
    """Runs one experiment on one bench.

    ```
    queued -> preparing -> running <-> paused -> finished | stopped | failed
    ```

    `run` does everything and returns the run, reopened from its file. All other methods may be called from any
    thread; they act at the next checkpoint, which is every block that the experiment yields, and during a pause.
    Rows go to the file first, then to the live table: a failed write fails the run. Whatever happens, the bench is
    made safe and what was measured stays.

    The experiment runs in a thread of its own. The thread that called `run` keeps it: hands rows over, cuts off calls
    to instruments that hang, and ends the run without the experiment's thread where that one is stuck for good.
    """

    def __init__(
        self,
        bench: Bench,
        experiment: str,
        parameters: Mapping[str, Any],
        folder: Path,
        *,
        seed: int | None = None,
        pace: float | None = None,
        title: str = "",
        run_id: str = "",
        tell: Tell | None = None,
        rules: Sequence[Rule] = (),
        upkeep: Sequence[Upkeep] = (),
        replay: Iterable[Mapping[str, Any]] = (),
        knobs: Mapping[str, float | bool | str] | None = None,
    ) -> None:
        if pace is not None and not 0 < pace < 1e9:
            raise UsageError(f"A run cannot be paced over {pace:g} s.", "Give a time above 0, such as 30s.")
        kind: type[Experiment[Any]] = load("experiments", experiment)
        self.bench, self.folder, self.pace = bench, folder, pace
        self.experiment = kind.read(parameters)
        self.experiment.bind(bench)
        self.experiment.preflight()
        rows, self.seconds = self.experiment.estimate()
        passes = max(self.experiment.passes, 1)
        self._of_a_pass = (rows // passes, self.seconds / passes)
        record = new_record(self.experiment, experiment, bench, rows, seed, title, run_id)
        self.control = Control()
        self.owned = self.experiment.uses()
        self.abandoned = ""  # why the experiment's thread was given up
        self.ledger = Ledger(bench, Teller(record.id, tell))
        steps = (*bench.entry.upkeep, *upkeep)
        chores = Chores(bench, steps, self.ledger, self.experiment, record.seed)
        record = record.model_copy(update={"streams": (*record.streams, *chores.streams)})
        self.output = Output(record, self.ledger, self.ledger.teller)
        chores.take = self.output.take
        self.hands = Hands(bench, self.owned, self.control, self.ledger, replay, knobs or {})
        named = {rule.name: rule for rule in (*bench.entry.watch, *rules)}
        self.interlock = Interlock(bench, record.columns, self.control, self.ledger, tuple(named.values()))
        self._going = Going(
            bench,
            self.experiment,
            self.control,
            self.output,
            self.hands,
            self.interlock,
            chores,
            steps,
            self._extend,
        )
        self._thread: threading.Thread | None = None

    @property
    def record(self) -> Record:
        """The record of the run as it stands."""
        return self.output.record

    @property
    def state(self) -> State:
        """The state of the run."""
        return self.output.state

    @property
    def over(self) -> bool:
        """Whether nothing more will be measured, though the file may not be complete yet."""
        return self.state in ENDED or self._going.done.is_set()

    def pause(self) -> None:
        """Pause at the next checkpoint."""
        self.control.hold("user", "paused by the user")

    def resume(self) -> None:
        """Go on after a pause; a watchdog that still fires keeps holding, and says so."""
        self.control.release("user")
        for why in self.interlock.release_clear():
            self.ledger.log("warning", f"The run is still held: {why}.")

    def stop(self) -> None:
        """End at the next checkpoint, keep everything, make safe."""
        self.control.end(Ask.STOP, "stopped by the user")

    def skip(self) -> None:
        """End at the next checkpoint in favour of the next run; keep everything, make safe."""
        self.control.end(Ask.SKIP, "skipped")

    def halt(self) -> None:
        """Send no further command to any instrument but make_safe; a call that is under way has its timeout."""
        self.control.end(Ask.HALT, "halted")
        self._bar()

    def extend(self, passes: int) -> None:
        """Add passes to a run that goes or waits; raise UsageError where it has none, or has ended."""
        if passes < 1:
            raise UsageError(f"A run cannot be extended by {passes} passes.", "Give 1 or more.")
        if self.state in ENDED or self._going.done.is_set() or self.control.ending is not Ask.NOTHING:
            raise UsageError("The run has ended.", "Run it again.")
        if not self.experiment.can_extend:
            raise UsageError(f"{self.record.title} has no passes that could be added.", "Run it again.")
        self._extend(passes)
        self.ledger.log("info", f"extended by {passes} passes")

    def set_knob(
        self, instrument: str, knob: str, value: float | bool | str, take_over: bool = False
    ) -> None:
        """Set a knob at the next checkpoint, or raise UsageError where a limit or the run's ownership forbids it."""
        if self.state in ENDED or self._going.done.is_set():
            raise UsageError("The run has ended.", "Set the knob on the free bench.")
        self.hands.ask(instrument, knob, value, take_over)

    def set_rules(self, rules: Sequence[Rule]) -> None:
        """Replace the watchdog rules; raise UsageError where one names nothing that can be watched."""
        self.interlock.set_rules(rules)
        self.ledger.log("info", f"watchdog rules: {', '.join(rule.name for rule in rules) or 'none'}")
        self.interlock.tell()

    def panel(self) -> dict[str, Any]:
        """Return what is known of the instruments, without asking any; see `qlab.session.Session`."""
        return self.bench.panel()

    def run(self) -> Run:
        """Run to the end; raise the error of a run that failed, after its file is complete."""
        self.output.open(self.folder)
        try:
            self.output.set_state("preparing")
            interrupt = self._keep()
            final = self._finish()
        finally:
            self.output.close()
        if interrupt is not None:
            raise interrupt
        failure = self._going.failure if self.state == "failed" else None
        if isinstance(failure, QlabError):
            failure.final_path = final  # type: ignore[attr-defined]
            raise failure
        if failure is not None:
            raise QlabError(
                f"The run failed: {type(failure).__name__}: {failure}.", f"What was measured is in {final}."
            ) from failure
        return open_run(final)

    def _keep(self) -> KeyboardInterrupt | None:
        """Let the experiment run in its thread and look after it; leave the bench safe."""
        opened_here = not self.bench.is_open
        self._going.speed = None if self.pace is None or self.seconds <= 0 else self.seconds / self.pace
        work = contextvars.copy_context().run
        thread = threading.Thread(target=work, args=(self._going.work,), daemon=True, name="qlab run")
        self._thread = thread
        thread.start()
        keeper, interrupt, stuck = Keeper(self.bench), None, None
        while not self._going.done.is_set() and stuck is None:
            try:
                if not self._going.done.wait(KEPT_EVERY):
                    stuck = self._look_after(thread, keeper)
            except KeyboardInterrupt as pressed:
                (self.halt if interrupt is not None else self.stop)()
                interrupt = pressed
        if stuck is not None:
            self.output.shut()
            self.abandoned, self._going.failure = str(stuck), stuck
            self.ledger.log("error", str(stuck))
        self._make_safe(opened_here)
        return interrupt

    def _look_after(self, thread: threading.Thread, keeper: Keeper) -> QlabError | None:
        """Hand rows over, however long an instrument takes; return why the thread has to be given up, or None."""
        # Where handing over fails, the next write fails too, and ends the run.
        with contextlib.suppress(RecordingError):
            self.output.writer.tick()
        if self.state == "running":
            self.interlock.silence()
        if self.control.ending is Ask.HALT:
            self._bar()
            keeper.halted()
        return keeper.look(thread)

    def _bar(self) -> None:
        """Give the experiment's thread no further word with any instrument."""
        if self._thread is not None and self._thread.ident is not None and not self._going.done.is_set():
            bar(self._thread.ident)

    def _make_safe(self, close: bool) -> None:
        self.ledger.deafen()
        for instrument in self.bench.instruments.values():
            instrument.on_lost = None
        # How the measurement left the bench; after a halt, or with a thread that hangs, nothing more is asked.
        if self.control.ending is not Ask.HALT and not self.abandoned:
            with contextlib.suppress(
                Exception
            ):  # a dead instrument must not keep the others from being made safe
                self.output.amend(bench_after=self.bench.snapshot())
        report = self.bench.make_safe(close=close)
        self.output.amend(safe_report=report)
        self.ledger.teller.tell("safe", bench=self.bench.name, report=report)

    def _extend(self, passes: int) -> None:
        """Make the plan longer: passes, rows, time, and the program as it will have been played."""
        self.experiment.more += passes
        self.seconds += passes * self._of_a_pass[1]
        self.output.amend(expected_rows=self.record.expected_rows + passes * self._of_a_pass[0])
        self.ledger.extended(passes)
        program = self.experiment.program()
        if program is not None and self.state != "queued":
            self.ledger.played(self.experiment.extended(program))
        self.output.progress()

    def _finish(self) -> Path:
        failure = self._going.failure
        state, reason = verdict(failure, self.control)
        if state == "failed" and not self.abandoned:
            self.ledger.log("error", reason)
        record = self.record.model_copy(update={"state": state, "reason": reason, "ended": clock()})
        self.output.progress()
        if self.ledger.row and self.output.table is not None:
            record = analyse(record, self.output.table, self.experiment, self.ledger)
        hint = failure.hint if isinstance(failure, QlabError) and state == "failed" else ""
        return self.output.finish(self.ledger.into(record), hint)

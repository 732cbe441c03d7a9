"""The runner: drives one experiment from its first command to a finished file and a safe bench."""

import contextlib
import contextvars
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from qlab.bench import Bench
from qlab.calls import bar, unbar
from qlab.control import Ask, Control
from qlab.errors import QlabError, RecordingError, UsageError
from qlab.experiment import Experiment
from qlab.live import LiveTable, remove_left_over, table_path
from qlab.provenance import clock, new_record
from qlab.record import ENDED, Block, State
from qlab.registry import load
from qlab.running.chores import Chores
from qlab.running.ending import analyse, verdict
from qlab.running.hands import Hands
from qlab.running.interlock import Interlock
from qlab.running.keeper import Keeper
from qlab.running.ledger import Ledger
from qlab.running.reconnect import Reconnect
from qlab.running.telling import Tell, Teller
from qlab.runs import Run
from qlab.settings import runtime_folder
from qlab.store import RunWriter, open_run
from qlab.upkeep import Upkeep
from qlab.watch import Rule

KEPT_EVERY = 0.25  # s between two looks of the keeper
PAUSE_LOOK = 0.2  # s between two looks at the bench during a pause
LIVE_ROWS = 100_000  # room of the live table at least; it grows with the run


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
        kind: type[Experiment[Any]] = load("experiments", experiment)
        if pace is not None and not 0 < pace < 1e9:
            raise UsageError(f"A run cannot be paced over {pace:g} s.", "Give a time above 0, such as 30s.")
        self.bench, self.folder, self.pace = bench, folder, pace
        self.experiment = kind.read(parameters)
        self.experiment.bind(bench)
        self.experiment.preflight()
        rows, self.seconds = self.experiment.estimate()
        self._pass_rows = rows // max(self.experiment.passes, 1)
        self._pass_seconds = self.seconds / max(self.experiment.passes, 1)
        self.record = new_record(self.experiment, experiment, bench, rows, seed, title, run_id)
        self.state: State = "queued"
        self.control = Control()
        self.teller = Teller(self.record.id, tell)
        self.ledger = Ledger(bench, self.teller)
        self.owned = self.experiment.uses()
        self.knobs = dict(knobs or {})
        self.hands = Hands(bench, self.owned, self.control, self.ledger, replay)
        self.upkeep = (*bench.entry.upkeep, *upkeep)
        self.chores = Chores(bench, self.upkeep, self.ledger, self.experiment, self.record.seed)
        named = {rule.name: rule for rule in (*bench.entry.watch, *rules)}
        columns = self.record.columns
        self.interlock = Interlock(bench, columns, self.control, self.ledger, tuple(named.values()))
        self.abandoned = ""  # the reason why the experiment's thread was given up
        self._writer: RunWriter | None = None
        self._table: LiveTable | None = None
        self._warned = 0
        self._failure: BaseException | None = None
        self._done = threading.Event()
        self._taking = threading.Lock()
        self._thread: threading.Thread | None = None
        self._keeper = Keeper(bench)

    @property
    def over(self) -> bool:
        """Whether nothing more will be measured, though the file may not be complete yet."""
        return self.state in ENDED or self._done.is_set()

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
        if self.state in ENDED or self._done.is_set() or self.control.ending is not Ask.NOTHING:
            raise UsageError("The run has ended.", "Run it again.")
        if not self.experiment.can_extend:
            raise UsageError(f"{self.record.title} has no passes that could be added.", "Run it again.")
        self._extend(passes)
        self.ledger.log("info", f"extended by {passes} passes")

    def set_knob(
        self, instrument: str, knob: str, value: float | bool | str, take_over: bool = False
    ) -> None:
        """Set a knob at the next checkpoint, or raise UsageError where a limit or the run's ownership forbids it."""
        if self.state in ENDED or self._done.is_set():
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
        self._writer = RunWriter.create(self.folder, self.record)
        self.ledger.open(self._writer)
        interrupt: KeyboardInterrupt | None = None
        try:
            remove_left_over(runtime_folder())
            self._grow_table(0)
            self._set_state("preparing")
            interrupt = self._keep()
            final = self._finish()
        finally:
            if self._table is not None:
                self._table.close(remove=True)
        if interrupt is not None:
            raise interrupt
        failure = self._failure if self.state == "failed" else None
        if isinstance(failure, QlabError):
            failure.final_path = final  # type: ignore[attr-defined]
            raise failure
        if failure is not None:
            raise QlabError(
                f"The run failed: {type(failure).__name__}: {failure}.", f"What was measured is in {final}."
            ) from failure
        return open_run(final)

    # The keeper's side: the thread that called `run`.

    def _keep(self) -> KeyboardInterrupt | None:
        """Let the experiment run in its thread and look after it; leave the bench safe."""
        opened_here = not self.bench.is_open
        work = contextvars.copy_context().run
        self._thread = threading.Thread(target=work, args=(self._work,), daemon=True, name="qlab run")
        self._thread.start()
        interrupt: KeyboardInterrupt | None = None
        stuck: QlabError | None = None
        while not self._done.is_set() and stuck is None:
            try:
                if not self._done.wait(KEPT_EVERY):
                    stuck = self._look_after(self._thread)
            except KeyboardInterrupt as pressed:
                (self.halt if interrupt is not None else self.stop)()
                interrupt = pressed
        if stuck is not None:
            with self._taking:
                self.abandoned = str(stuck)
                self._failure = stuck
            self.ledger.log("error", str(stuck))
        self._make_safe(opened_here)
        return interrupt

    def _look_after(self, thread: threading.Thread) -> QlabError | None:
        # Where handing over fails, the next write fails too, and ends the run.
        with contextlib.suppress(RecordingError):
            self._writing.tick()
        if self.state == "running":
            self.interlock.silence()
        if self.control.ending is Ask.HALT:
            self._bar()
            self._keeper.halted()
        return self._keeper.look(thread)

    def _bar(self) -> None:
        if self._thread is not None and self._thread.ident is not None and not self._done.is_set():
            bar(self._thread.ident)

    def _make_safe(self, close: bool) -> None:
        self.ledger.deafen()
        for instrument in self.bench.instruments.values():
            instrument.on_lost = None
        report = self.bench.make_safe(close=close)
        self.record = self.record.model_copy(update={"safe_report": report})
        self.teller.tell("safe", bench=self.bench.name, report=report)

    # The experiment's side: its own thread.

    def _work(self) -> None:
        """Take rows until the experiment ends or somebody ends it."""
        try:
            self._measure()
        except Exception as error:  # noqa: BLE001 - any failure of a driver or an experiment ends here, with the bench safe
            with self._taking:
                if not self.abandoned:
                    self._failure = error
        finally:
            self._done.set()
            unbar(threading.get_ident())

    def _measure(self) -> None:
        if not self.bench.is_open:
            self.bench.open()
        speed = None if self.pace is None or self.seconds <= 0 else self.seconds / self.pace
        self.bench.begin(self.record.seed or 0, speed)
        self._listen()
        self.hands.first(self.knobs)
        self._know_the_bench()
        self._set_state("running")
        self.teller.begin()
        self.teller.started(
            self.record, self._table.path if self._table is not None else None, self._writing.path
        )
        if not self.interlock.idle:
            self.interlock.tell()
        self._between()
        blocks = self.experiment.run()
        try:
            if self._checkpoint():
                for block in blocks:
                    if block and not self._take(block):
                        return
                    if not self._checkpoint():
                        return
        finally:
            blocks.close()  # type: ignore[attr-defined]

    def _listen(self) -> None:
        self.ledger.listen()
        self.experiment.on_program = lambda program: self.ledger.played(self.experiment.extended(program))
        self.experiment.between = self._between
        reconnect = Reconnect(self.control, self._waiting, self.ledger.log)
        for instrument in self.bench.instruments.values():
            instrument.on_lost = reconnect

    def _know_the_bench(self) -> None:
        truth = self.bench.world.truth() if self.bench.world is not None else {}
        bench = self.bench.snapshot()
        bench["entry"]["watch"] = [rule.model_dump(mode="json") for rule in self.interlock.rules]
        bench["entry"]["upkeep"] = [step.model_dump(mode="json") for step in self.upkeep]
        known = {"bench": bench, "truth": truth, "expected": self.experiment.expected(truth) if truth else {}}
        self.record = self.record.model_copy(update=known)
        self._writing.note("bench", known)

    def _take(self, block: Block) -> bool:
        """Write rows; return whether this thread still has a say."""
        with self._taking:
            if self.abandoned:
                return False
            writer = self._writing
            writer.write(block)
            if len(writer.warnings) > self._warned:
                self._pass_on_warnings()
            if self._table is not None:
                rows = len(next(iter(block.values())))
                if writer.rows > self._table.capacity:
                    self._grow_table(writer.rows)
                self._table.append(block)
                self.ledger.row += rows
        if not self.interlock.idle:
            self.interlock.take(block)
        if time.monotonic() > self.teller.due:
            self.teller.progress(self.ledger.row, self.record.expected_rows)
        return True

    def _checkpoint(self) -> bool:
        """Do what was asked for from outside, wait out a pause; return whether to go on."""
        control = self.control
        if control.attention or not self.hands.idle:
            control.attention = False
            self._attend()
        if not self.interlock.idle:
            self.interlock.look()
            self._attend()
        if not self.chores.idle and self.experiment.program() is None:
            self._between()
        return control.ending is Ask.NOTHING

    def _attend(self) -> None:
        self._replay_passes()
        self.hands.work()
        if self.control.asked is not Ask.PAUSE:
            return
        self._set_state("paused", "; ".join(self.control.holds.values()))
        since = time.monotonic()
        while self.control.asked is Ask.PAUSE:
            self.control.wait(PAUSE_LOOK)
            self.hands.work()
            if not self.interlock.idle:
                self.interlock.look()
        self.bench.held(time.monotonic() - since)
        self.interlock.resumed()
        if self.control.ending is Ask.NOTHING:
            self._set_state("running")

    def _between(self) -> bool:
        """Do the upkeep that is due; return whether knobs may have been moved."""
        return self.chores.work(self.control.undisturbed)

    def _waiting(self, why: str) -> None:
        """Say that the run waits for an instrument, or goes on."""
        if self.state in {"running", "paused"}:
            self._set_state("paused" if why else "running", why)

    def _replay_passes(self) -> None:
        if not self.hands.idle and (passes := self.hands.due_passes(self.ledger.row)):
            self._extend(passes)

    def _extend(self, passes: int) -> None:
        self.experiment.more += passes
        self.seconds += passes * self._pass_seconds
        rows = self.record.expected_rows + passes * self._pass_rows
        self.record = self.record.model_copy(update={"expected_rows": rows})
        self.ledger.extended(passes)
        program = self.experiment.program()
        if program is not None and self.state != "queued":
            self.ledger.played(self.experiment.extended(program))
        self.teller.progress(self.ledger.row, rows)

    # Both sides.

    @property
    def _writing(self) -> RunWriter:
        if self._writer is None:
            raise RecordingError("The run has no file.", "Start it with run().")
        return self._writer

    def _pass_on_warnings(self) -> None:
        """Tell what the writer had to do so as not to lose rows, such as moving to the spool."""
        for line in self._writing.warnings[self._warned :]:
            self.ledger.log("warning", line)
        self._warned = len(self._writing.warnings)

    def _grow_table(self, rows: int) -> None:
        """Make the live table, or one with more room that takes its place."""
        before = self._table
        capacity = max(2 * rows, 2 * self.record.expected_rows if before is None else 0, LIVE_ROWS)
        name = table_path(runtime_folder(), self.record.id)
        path = name if before is None else before.path.with_name(f"{capacity}-{name.name}")
        self._table = LiveTable.create(path, self.record.columns, capacity)
        if before is not None:
            if len(before):
                self._table.append({column: before.column(column) for column in before.names})
            before.close(remove=True)
            self.teller.started(self.record, path, self._writing.path)

    def _finish(self) -> Path:
        state, reason = verdict(self._failure, self.control)
        if state == "failed" and not self.abandoned:
            self.ledger.log("error", reason)
        self.record = self.record.model_copy(update={"state": state, "reason": reason, "ended": clock()})
        self.teller.progress(self.ledger.row, self.record.expected_rows)
        if self.ledger.row and self._table is not None:
            self.record = analyse(self.record, self._table, self.experiment, self.ledger)
        self.record = self.ledger.into(self.record)
        path = self._writing.finish(self.record)
        self.state = state
        hint = self._failure.hint if isinstance(self._failure, QlabError) and state == "failed" else ""
        shown = self.record.model_dump(mode="json")
        self.teller.state(state, path, reason, hint, record=shown)
        return path

    def _set_state(self, state: State, reason: str = "") -> None:
        with self._taking:
            if self.abandoned:
                return
            self.state = state
            self.record = self.record.model_copy(update={"state": state})
            self._writing.set_state(state)
        self.teller.state(state, self._writing.path, reason)

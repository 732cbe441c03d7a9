"""The runner: drives one experiment from its first command to a finished file and a safe bench."""

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from qlab.bench import Bench
from qlab.control import Ask, Control
from qlab.errors import QlabError, RecordingError, UsageError
from qlab.experiment import Experiment
from qlab.live import LiveTable, remove_left_over, table_path
from qlab.provenance import clock, new_record
from qlab.pulses import Program
from qlab.record import Block, FitResult, State
from qlab.registry import load
from qlab.runs import Run
from qlab.settings import runtime_folder
from qlab.store import RunWriter, open_run

KEPT_EVERY = 0.25  # s between hand-overs while nothing comes
TOLD_EVERY = 0.15  # s between progress events
MOST_LIVE_ROWS = 4_000_000
Tell = Callable[[dict[str, Any]], None]


class Runner:
    """Runs one experiment on one bench.

    ```
    queued -> preparing -> running <-> paused -> finished | stopped | failed
    ```

    `run` does everything and returns the run, reopened from its file. `pause`, `resume`, `stop` and `halt` may be
    called from any thread; they act at the next checkpoint, which is every block that the experiment yields.
    Rows go to the file first, then to the live table: a failed write fails the run. Whatever happens, the bench is
    made safe and what was measured stays.
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
    ) -> None:
        kind: type[Experiment[Any]] = load("experiments", experiment)
        if pace is not None and not 0 < pace < 1e9:
            raise UsageError(f"A run cannot be paced over {pace:g} s.", "Give a time above 0, such as 30s.")
        self.bench = bench
        self.experiment = kind.read(parameters)
        self.experiment.bind(bench)
        self.experiment.preflight()
        self.folder = folder
        self.pace = pace
        self.state: State = "queued"
        self._tell = tell or _nobody
        self.control = Control()
        self._writer: RunWriter | None = None
        self._table: LiveTable | None = None
        self._rows = 0
        self._log: list[dict[str, Any]] = []
        self._changes: list[dict[str, Any]] = []
        self._programs: list[dict[str, Any]] = []
        self._began = time.monotonic()
        self._told = 0.0
        self._warned = 0
        self._over = threading.Event()
        rows, self.seconds = self.experiment.estimate()
        self.record = new_record(self.experiment, experiment, bench, rows, seed, title, run_id)

    def pause(self) -> None:
        """Pause at the next checkpoint."""
        self.control.ask(Ask.PAUSE)

    def resume(self) -> None:
        """Go on after a pause."""
        self.control.ask(Ask.NOTHING)

    def stop(self) -> None:
        """End at the next checkpoint, keep everything, make safe."""
        self.control.ask(Ask.STOP)

    def halt(self) -> None:
        """Send no further command to any instrument but make_safe."""
        self.control.ask(Ask.HALT)

    def run(self) -> Run:
        """Run to the end; raise the error of a run that failed, after its file is complete."""
        self._writer = RunWriter.create(self.folder, self.record)
        keeper = threading.Thread(target=self._keep, daemon=True, name="qlab keeper")
        keeper.start()
        try:
            remove_left_over(runtime_folder())
            capacity = min(max(2 * self.record.expected_rows, 100_000), MOST_LIVE_ROWS)
            path = table_path(runtime_folder(), self.record.id)
            self._table = LiveTable.create(path, self.record.columns, capacity)
            self._set_state("preparing")
            failure = self._measure()
            final = self._finish(failure)
        finally:
            self._over.set()
            keeper.join()
            if self._table is not None:
                self._table.close(remove=True)
        if isinstance(failure, QlabError):
            failure.final_path = final  # type: ignore[attr-defined]
            raise failure
        if failure is not None:
            raise QlabError(
                f"The run failed: {type(failure).__name__}: {failure}.", f"What was measured is in {final}."
            ) from failure
        return open_run(final)

    def _keep(self) -> None:
        """Hand rows over to the file while the run waits for an instrument, however long that takes."""
        while not self._over.wait(KEPT_EVERY):
            # Where it fails, the next write fails too, and ends the run.
            with contextlib.suppress(RecordingError):
                self._writing.tick()

    def _measure(self) -> BaseException | None:
        """Take rows until the experiment ends or somebody stops it; always leave the bench safe."""
        failure: BaseException | None = None
        opened_here = not self.bench.is_open
        try:
            if opened_here:
                self.bench.open()
            speed = None if self.pace is None or self.seconds <= 0 else self.seconds / self.pace
            self.bench.begin(self.record.seed or 0, speed)
            self._listen()
            truth = self.bench.world.truth() if self.bench.world is not None else {}
            self.record = self.record.model_copy(
                update={
                    "bench": self.bench.snapshot(),
                    "truth": truth,
                    "expected": self.experiment.expected(truth) if truth else {},
                }
            )
            known = {"bench": self.record.bench, "truth": truth, "expected": self.record.expected}
            self._writing.note("bench", known)
            self._set_state("running")
            self._announce()
            blocks = self.experiment.run()
            try:
                for block in blocks:
                    self._take(block)
                    if not self._checkpoint():
                        break
            finally:
                blocks.close()  # type: ignore[attr-defined]
        except Exception as error:  # noqa: BLE001 - any failure of a driver or an experiment ends here, with the bench safe
            failure = error
        finally:
            self._deafen()
            self._look_at_the_bench_again()
            report = self.bench.make_safe()
            if opened_here:
                self.bench.close()
            self.record = self.record.model_copy(update={"safe_report": report})
            self._tell({"event": "safe", "run": self.record.id, "report": report})
        return failure

    def _look_at_the_bench_again(self) -> None:
        """Keep how the bench was left by the measurement, before it is made safe; after a halt nothing is asked."""
        if self.control.asked is Ask.HALT:
            return
        with contextlib.suppress(
            Exception
        ):  # a dead instrument must not keep the others from being made safe
            self.record = self.record.model_copy(update={"bench_after": self.bench.snapshot()})

    def _announce(self) -> None:
        self._tell(
            {
                "event": "started",
                "run": self.record.id,
                "record": self.record.model_dump(mode="json"),
                "table": str(self._table.path) if self._table is not None else "",
                "path": str(self._writing.path),
            }
        )

    @property
    def _writing(self) -> RunWriter:
        if self._writer is None:
            raise RecordingError("The run has no file.", "Start it with run().")
        return self._writer

    def _take(self, block: Block) -> None:
        self._writing.write(block)
        self._pass_on_warnings()
        if self._table is not None:
            self._table.append(block)
        self._rows += len(next(iter(block.values())))
        if time.monotonic() - self._told > TOLD_EVERY:
            self._progress()

    def _pass_on_warnings(self) -> None:
        """Tell what the writer had to do so as not to lose rows, such as moving to the spool."""
        for line in self._writing.warnings[self._warned :]:
            self._note_log("warning", line)
        self._warned = len(self._writing.warnings)

    def _checkpoint(self) -> bool:
        """Wait out a pause; return whether to go on."""
        if self.control.asked is Ask.PAUSE:
            self._set_state("paused")
            since = time.monotonic()
            self.control.wait_out_a_pause()
            self.bench.held(time.monotonic() - since)
            if self.control.undisturbed():
                self._set_state("running")
        return self.control.undisturbed()

    def _finish(self, failure: BaseException | None) -> Path:
        state, reason = self._verdict(failure)
        if state == "failed":
            self._note_log("error", reason)
        self.record = self.record.model_copy(
            update={
                "state": state,
                "reason": reason,
                "ended": clock(),
                "programs": tuple(self._programs),
                "changes": tuple(self._changes),
                "log": tuple(self._log),
            }
        )
        self._progress()
        if self._rows:
            self._analyse()
        path = self._writing.finish(self.record)
        self.state = state
        hint = failure.hint if isinstance(failure, QlabError) else ""
        self._tell({"event": "state", "run": self.record.id, "state": state, "reason": reason, "hint": hint,
                    "path": str(path), "record": self.record.model_dump(mode="json")})  # fmt: skip
        return path

    def _verdict(self, failure: BaseException | None) -> tuple[State, str]:
        if isinstance(failure, QlabError):
            return "failed", str(failure)
        if failure is not None:
            return "failed", f"{type(failure).__name__}: {failure}"
        if self.control.asked is Ask.HALT:
            return "stopped", "halted"
        if self.control.asked is Ask.STOP:
            return "stopped", "stopped by the user"
        return "finished", ""

    def _analyse(self) -> None:
        """Fit and compute the figures of merit; what fails is noted, never a reason to lose a run."""
        if self._table is None:
            return
        run = Run(self.record, self._table)
        fit: FitResult | None = None
        try:
            if self.record.fit:
                fit = run.fit()
                self.record = self.record.model_copy(update={"fits": (fit,)})
            self.record = self.record.model_copy(update={"figures": self.experiment.analyse(run, fit)})
        except Exception as error:  # noqa: BLE001 - the analysis of a stranger's experiment must not lose the run
            self._note_log("warning", f"The analysis failed: {type(error).__name__}: {error}")
            self.record = self.record.model_copy(update={"log": tuple(self._log)})

    def _set_state(self, state: State) -> None:
        self.state = state
        self.record = self.record.model_copy(update={"state": state})
        self._writing.set_state(state)
        self._tell({"event": "state", "run": self.record.id, "state": state, "reason": "", "hint": "",
                    "path": str(self._writing.path)})  # fmt: skip

    def _progress(self) -> None:
        self._told = time.monotonic()
        elapsed = self._told - self._began
        total = self.record.expected_rows
        left = elapsed / self._rows * (total - self._rows) if self._rows and total else float("nan")
        self._tell({"event": "progress", "run": self.record.id, "done": self._rows, "total": total,
                    "elapsed": elapsed, "remaining": max(left, 0.0)})  # fmt: skip

    def _listen(self) -> None:
        """Keep every program played and every change of a knob made from here on."""

        def played(program: Program) -> None:
            self._programs.append(program.to_dict())
            self._writing.note("program", self._programs[-1])

        def changed(instrument: str, knob: str, value: float | bool) -> None:
            change = {
                "time": self.bench.now(),
                "row": self._rows,
                "knob": f"{instrument}.{knob}",
                "value": value,
            }
            self._changes.append(change)
            self._writing.note("change", change)

        self.experiment.on_program = played
        for instrument in self.bench.instruments.values():
            instrument.on_change = changed

    def _deafen(self) -> None:
        for instrument in self.bench.instruments.values():
            instrument.on_change = None

    def _note_log(self, level: str, message: str) -> None:
        entry = {"time": clock(), "level": level, "message": message}
        self._log.append(entry)
        self._tell({"event": "log", "run": self.record.id, "level": level, "message": message})


def _nobody(event: dict[str, Any]) -> None:
    """Nobody listens."""
    del event

"""The experiment's side of a run: its own thread, from the first command to the last row."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from qlab.bench import Bench
from qlab.calls import unbar
from qlab.control import Ask, Control
from qlab.experiment import Experiment
from qlab.pulses import Program
from qlab.running.chores import Chores
from qlab.running.hands import Hands
from qlab.running.interlock import Interlock
from qlab.running.output import Output
from qlab.running.reconnect import Reconnect
from qlab.upkeep import Upkeep

PAUSE_LOOK = 0.2  # s between two looks at the bench during a pause


class Going:
    """Lets one experiment run: block by block, with a checkpoint after each; `done` is set when it has ended.

    `failure` is what ended it before its time. Nothing here makes the bench safe: that is for whoever waits, who
    may have given this thread up long before.
    """

    def __init__(
        self,
        bench: Bench,
        experiment: Experiment[Any],
        control: Control,
        output: Output,
        hands: Hands,
        interlock: Interlock,
        chores: Chores,
        upkeep: Sequence[Upkeep],
        extend: Callable[[int], None],
    ) -> None:
        self.bench, self.experiment, self.control, self.output = bench, experiment, control, output
        self.hands, self.interlock, self.chores = hands, interlock, chores
        self.upkeep, self._extend = upkeep, extend
        self.speed: float | None = None
        self.failure: BaseException | None = None
        self.done = threading.Event()

    def work(self) -> None:
        """Run to the end; never raises."""
        try:
            self._measure()
        except Exception as error:  # noqa: BLE001 - any failure of a driver or an experiment ends here
            self.failure = error
        finally:
            self.done.set()
            unbar(threading.get_ident())

    def _measure(self) -> None:
        if not self.bench.is_open:
            self.bench.open()
        self.bench.begin(self.output.record.seed or 0, self.speed)
        self._listen()
        self.hands.first()
        self._know_the_bench()
        self.output.set_state("running")
        self.output.teller.begin()
        self.output.started()
        if not self.interlock.idle:
            self.interlock.tell()
        self.between()
        blocks = self.experiment.run()
        try:
            if self._checkpoint():
                for block in blocks:
                    if block:
                        if not self.output.take(block):
                            return
                        if not self.interlock.idle:
                            self.interlock.take(block)
                    if not self._checkpoint():
                        return
        finally:
            blocks.close()  # type: ignore[attr-defined]

    def _listen(self) -> None:
        """Keep every program played and every change of a knob made from here on; bring back what gets lost."""

        def played(program: Program) -> None:
            ledger.played(self.experiment.extended(program))

        ledger = self.output.ledger
        ledger.listen()
        self.experiment.on_program = played
        self.experiment.on_rounding = lambda words: ledger.log("info", f"player: {words}")
        self.experiment.between = self.between
        reconnect = Reconnect(self.control, self._waiting, ledger.log)
        for instrument in self.bench.instruments.values():
            instrument.on_lost = reconnect

    def _know_the_bench(self) -> None:
        truth = self.bench.world.truth() if self.bench.world is not None else {}
        bench = self.bench.snapshot()
        bench["entry"]["watch"] = [rule.model_dump(mode="json") for rule in self.interlock.rules]
        bench["entry"]["upkeep"] = [step.model_dump(mode="json") for step in self.upkeep]
        known = {"bench": bench, "truth": truth, "expected": self.experiment.expected(truth) if truth else {}}
        self.output.amend(**known)
        self.output.writer.note("bench", known)

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
            self.between()
        return control.ending is Ask.NOTHING

    def _attend(self) -> None:
        self._replay_passes()
        self.hands.work()
        if self.control.asked is not Ask.PAUSE:
            return
        self.output.set_state("paused", "; ".join(self.control.holds.values()))
        since = time.monotonic()
        while self.control.asked is Ask.PAUSE:
            self.control.wait(PAUSE_LOOK)
            self.hands.work()
            if not self.interlock.idle:
                self.interlock.look()
        self.bench.held(time.monotonic() - since)
        self.interlock.resumed()
        if self.control.ending is Ask.NOTHING:
            self.output.set_state("running")

    def between(self) -> bool:
        """Do the upkeep that is due; return whether knobs may have been moved."""
        return self.chores.work(self.control.undisturbed)

    def _waiting(self, why: str) -> None:
        """Say that the run waits for an instrument, or goes on."""
        if self.output.state in {"running", "paused"}:
            self.output.set_state("paused" if why else "running", why)

    def _replay_passes(self) -> None:
        if not self.hands.idle and (passes := self.hands.due_passes(self.output.ledger.row)):
            self._extend(passes)

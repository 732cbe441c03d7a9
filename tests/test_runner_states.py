"""Everything that can be asked of a run or befall it, in any order: it ends well, with every row it yielded."""

import itertools
import shutil
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from qlab import registry, runner
from qlab.control import Ask
from qlab.errors import InstrumentError, QlabError, UsageError
from qlab.experiment import Experiment
from qlab.record import Axis, Column, Signal
from qlab.runner import Runner
from qlab.running import interlock, reconnect
from qlab.store import open_run
from qlab.watch import Rule
from tests.flaky import ReadingParameters, flaky_bench, install

ALLOWED = {
    ("preparing", "running"), ("running", "paused"), ("paused", "running"),
    ("running", "finished"), ("running", "stopped"), ("running", "failed"),
    ("paused", "stopped"), ("paused", "failed"), ("preparing", "failed"), ("preparing", "stopped"),
}  # fmt: skip


class Stepped(Experiment[ReadingParameters]):
    """An experiment that does what the test tells it, one step at a time."""

    steps = threading.Semaphore(0)
    todo: list = []
    yielded = 0

    def run(self):
        device = self.bench.instruments["flaky"]
        while True:
            Stepped.steps.acquire()
            match Stepped.todo.pop(0):
                case "row":
                    n = float(Stepped.yielded + 1)
                    Stepped.yielded += 1
                    yield {
                        "x": np.array([n]),
                        "y": np.array([n**2]),
                        "time": np.array([n]),
                        "valid": np.ones(1, np.int8),
                    }
                case "look":
                    yield {}
                case "drop" | "hang" as trouble:
                    device.trouble = trouble
                    assert device.reading == device.value
                    yield {}
                case "fail":
                    raise InstrumentError("The device is gone.", "Find it.")
                case "crash":
                    raise ZeroDivisionError("a fault in the driver")
                case "end":
                    return

    def uses(self):
        return frozenset(self.bench.instruments)

    def axes(self):
        return (Axis(name="x", values=tuple(float(i) for i in range(1, 200))),)

    def measured(self):
        return (Column(name="y"),)

    def signals(self):
        return (Signal(name="mean", of="y"),)

    def estimate(self):
        return 100, 0.0


RULE = Rule(
    name="low",
    readout="other.reading",
    condition="below",
    threshold=0.0,
    action="pause",
    resume_when_clear=True,
)


class RunnerStates(RuleBasedStateMachine):
    """One run, and everything that can be asked of it."""

    @initialize()
    def start(self):
        install(stepped=Stepped)
        Stepped.steps, Stepped.todo, Stepped.yielded = threading.Semaphore(0), [], 0
        self.folder = Path(tempfile.mkdtemp())
        self.bench = flaky_bench()
        self.wished, self.added, self.asked_rows = [], 0, 0
        self.events, self.error, self.over = [], None, False
        self.runner = Runner(
            self.bench, "tests.stepped", {}, self.folder, tell=self.events.append, rules=[RULE]
        )
        self.thread = threading.Thread(target=self.work)
        self.thread.start()
        self.wait_for(lambda: self.runner.state == "running")

    def work(self):
        try:
            self.runner.run()
        except QlabError as error:
            self.error = error

    def wait_for(self, condition):
        end = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < end, (self.runner.state, self.runner.control.asked, Stepped.todo)
            time.sleep(0.001)

    def step(self, what):
        self.asked_rows += what == "row"
        Stepped.todo.append(what)
        Stepped.steps.release()

    @precondition(lambda self: not self.over)
    @rule(what=st.sampled_from(["row", "row", "row", "look", "drop", "hang", "fail", "crash", "end"]))
    def go(self, what):
        """The experiment does something; a pause or a stop asked for is obeyed at its row."""
        if self.runner.state == "paused":
            return
        self.step(what)
        if what in {"fail", "crash", "end"}:
            self.over = True
        else:
            self.wait_for(lambda: self.settled() or (not Stepped.todo and self.runner.control.undisturbed()))
        if self.runner.control.ending is not Ask.NOTHING:
            self.over = True

    def settled(self):
        return self.runner.state in {"paused", "stopped", "failed"} or not self.thread.is_alive()

    @rule()
    def pause(self):
        self.runner.pause()

    @rule()
    def resume(self):
        self.runner.resume()
        if not self.over and self.runner.control.undisturbed() and self.bench.instruments["other"].value > 0:
            self.wait_for(lambda: self.runner.state == "running" or not self.runner.control.undisturbed())

    @rule(value=st.sampled_from([-1.0, 1.0]))
    def the_readout_goes(self, value):
        """Below its limit: the watchdog pauses at the next look. Back: the run goes on by itself."""
        self.bench.instruments["other"].value = value

    @rule(value=st.floats(-7, 7) | st.just(float("nan")) | st.just("1 A"), take_over=st.booleans())
    def turn_a_knob(self, value, take_over):
        good = isinstance(value, float) and abs(value) <= 5 and take_over
        try:
            self.runner.set_knob("flaky", "drive", value, take_over=take_over)
        except UsageError:
            assert not good or self.over
        else:
            assert good
            self.wished.append(value)

    @rule(passes=st.integers(-1, 3))
    def extend(self, passes):
        try:
            self.runner.extend(passes)
        except UsageError:
            assert passes < 1 or self.over
        else:
            self.added += passes

    @rule(rules=st.sampled_from([[], [RULE], [RULE, RULE]]))
    def replace_the_rules(self, rules):
        try:
            self.runner.set_rules(rules)
        except UsageError:
            assert len(rules) == 2

    @rule(how=st.sampled_from(["stop", "skip", "halt"]))
    def end(self, how):
        getattr(self.runner, how)()
        if not self.over and self.runner.state != "paused":
            self.step("look")
        self.over = True

    @invariant()
    def only_allowed_changes(self):
        if hasattr(self, "events"):
            states = [e["state"] for e in list(self.events) if e["event"] == "state"]
            for before, after in itertools.pairwise(states):
                assert (before, after) in ALLOWED, states

    def teardown(self):
        if not hasattr(self, "thread"):
            return
        self.bench.instruments["other"].value = 1.0
        if not self.over:
            self.end("stop")
        self.runner.set_rules([])
        self.runner.resume()
        self.step("look")
        self.step("end")
        self.thread.join(20)
        assert not self.thread.is_alive()
        final = [e for e in self.events if e["event"] == "state"][-1]
        run = open_run(final["path"])
        assert run.state == final["state"] in {"finished", "stopped", "failed"}
        # Every row that the experiment yielded is there, but one on its way at a halt.
        assert run["y"].tolist() == [float(n) ** 2 for n in range(1, len(run) + 1)]
        assert len(run) in (
            {Stepped.yielded, Stepped.yielded - 1} if self.runner.abandoned else {Stepped.yielded}
        )
        assert (self.error is not None) == (run.state == "failed")
        assert set(run.record.safe_report.values()) == {"safe"}
        assert run.record.expected_rows == 100 + 50 * self.added
        by_hand = [
            c["value"] for c in run.record.changes if c["knob"] == "flaky.drive" and c["source"] == "panel"
        ]
        assert by_hand == self.wished[: len(by_hand)]
        assert self.bench.instruments["flaky"].known["drive"][0] == 0.0
        shutil.rmtree(self.folder)
        registry.plugins.cache_clear()


TestRunnerStates = RunnerStates.TestCase
TestRunnerStates.settings = settings(
    max_examples=10, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)


class TestRunnerStatesAtNight(RunnerStates.TestCase):
    """The same, much longer."""

    settings = settings(
        max_examples=300, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
    )
    pytestmark = pytest.mark.nightly


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(reconnect, "WAIT", 0.001)
    monkeypatch.setattr(interlock, "EVERY", 0.002)
    monkeypatch.setattr(runner, "KEPT_EVERY", 0.05)

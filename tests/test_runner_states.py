"""Pause, resume, stop, halt and failures in any order: the run always ends well, with every row it yielded."""

import itertools
import shutil
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from qlab import registry
from qlab.bench import Bench
from qlab.errors import InstrumentError, QlabError
from qlab.experiment import Experiment
from qlab.parameters import Parameters
from qlab.record import Axis, Column, Signal
from qlab.runner import Runner
from qlab.store import open_run

ALLOWED = {
    ("preparing", "running"), ("running", "paused"), ("paused", "running"),
    ("running", "finished"), ("running", "stopped"), ("running", "failed"),
    ("paused", "stopped"), ("preparing", "failed"), ("preparing", "stopped"),
}  # fmt: skip


class NoParameters(Parameters):
    """None."""


class Stepped(Experiment[NoParameters]):
    """An experiment that does what the test tells it, one step at a time."""

    steps = threading.Semaphore(0)
    todo: list = []
    yielded = 0

    def run(self):
        while True:
            Stepped.steps.acquire()
            match Stepped.todo.pop(0):
                case "row":
                    Stepped.yielded += 1
                    n = float(Stepped.yielded)
                    yield {
                        "x": np.array([n]),
                        "y": np.array([n**2]),
                        "time": np.array([n]),
                        "valid": np.ones(1, np.int8),
                    }
                case "fail":
                    raise InstrumentError("The device is gone.", "Find it.")
                case "crash":
                    raise ZeroDivisionError("a fault in the driver")
                case "end":
                    return

    def axes(self):
        return (Axis(name="x", values=tuple(float(i) for i in range(1, 200))),)

    def measured(self):
        return (Column(name="y"),)

    def signals(self):
        return (Signal(name="mean", of="y"),)


class Installed:
    distribution = "tests"

    def load(self):
        return Stepped


class RunnerStates(RuleBasedStateMachine):
    """One run, and everything that can be asked of it."""

    @initialize()
    def start(self):
        registry.plugins.cache_clear()
        registry.plugins("experiments")["tests.stepped"] = Installed()
        Stepped.steps, Stepped.todo, Stepped.yielded = threading.Semaphore(0), [], 0
        self.folder = Path(tempfile.mkdtemp())
        self.bench = Bench.load("sim-nv", seed=1)
        self.events, self.error, self.over = [], None, False
        self.runner = Runner(self.bench, "tests.stepped", {}, self.folder, tell=self.events.append)
        self.thread = threading.Thread(target=self.work)
        self.thread.start()
        self.wait_for(lambda: self.runner.state == "running")
        self.bench.instruments["laser"].on = True

    def work(self):
        try:
            self.runner.run()
        except QlabError as error:
            self.error = error

    def wait_for(self, condition):
        end = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < end, (self.runner.state, self.runner.control.asked)
            time.sleep(0.001)

    def step(self, what):
        Stepped.todo.append(what)
        Stepped.steps.release()

    @precondition(lambda self: not self.over)
    @rule(what=st.sampled_from(["row", "row", "row", "row", "fail", "crash", "end"]))
    def go(self, what):
        """The experiment does something; a pause or a stop asked for is obeyed at its row."""
        before = Stepped.yielded
        if self.runner.state == "paused":
            return
        self.step(what)
        if what == "row":
            self.wait_for(lambda: Stepped.yielded == before + 1)
            self.wait_for(
                lambda: len(Stepped.todo) == 0 and (self.settled() or self.runner.control.undisturbed())
            )
        else:
            self.over = True
        if self.runner.control.asked.name in {"STOP", "HALT"}:
            self.over = True

    def settled(self):
        return (
            self.runner.state == "paused"
            or not self.thread.is_alive()
            or self.runner.state in {"stopped", "failed"}
        )

    @rule()
    def pause(self):
        self.runner.pause()

    @rule()
    def resume(self):
        self.runner.resume()
        if not self.over and self.runner.control.undisturbed():
            self.wait_for(lambda: self.runner.state == "running")

    @rule(how=st.sampled_from(["stop", "halt"]))
    def end(self, how):
        getattr(self.runner, how)()
        if not self.over and self.runner.state != "paused":
            self.step("row")
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
        if not self.over:
            self.end("stop")
        self.thread.join(20)
        assert not self.thread.is_alive()
        final = [e for e in self.events if e["event"] == "state"][-1]
        run = open_run(final["path"])
        assert run.state == final["state"] in {"finished", "stopped", "failed"}
        assert run["y"].tolist() == [float(n) ** 2 for n in range(1, Stepped.yielded + 1)]
        assert (self.error is not None) == (run.state == "failed")
        assert set(run.record.safe_report.values()) == {"safe"}
        assert self.bench.instruments["laser"].on is False
        shutil.rmtree(self.folder)
        registry.plugins.cache_clear()


TestRunnerStates = RunnerStates.TestCase
TestRunnerStates.settings = settings(
    max_examples=25, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)

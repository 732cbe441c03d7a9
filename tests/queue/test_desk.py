"""The desk in any order of orders, commands, ends and crashes: nothing is lost, nothing plays beside itself."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from qlab.queue.study import Plan, Point
from qlab.service.desk import Desk
from qlab.session import After, Loop, Order

RESOURCES = st.sets(st.sampled_from(["laser", "camera", "coil"]), max_size=2)
ENDS = st.sampled_from(["finished", "finished", "finished", "stopped", "failed", "interrupted"])


class Queue(RuleBasedStateMachine):
    """Plays the part of the bench processes, by the messages that they send and get."""

    runs = Bundle("runs")

    @initialize()
    def begin(self):
        self.folder = TemporaryDirectory()
        self.path = Path(self.folder.name) / "queue.json"
        self.playing, self.ended, self.gone, self.orders, self.told = {}, {}, set(), {}, []
        self.needs = {}
        self.desk = Desk(self, self.hear, self.path)

    def teardown(self):
        if hasattr(self, "folder"):
            self.folder.cleanup()

    # What the desk asks for.
    def ask(self, message):
        order = Order.model_validate(message["order"])
        points = (
            tuple(Point(index=(i,), values={"tau": float(i)}) for i in range(3))
            if order.loops
            else (Point(),)
        )
        plan = Plan(points=points, resources=tuple(self.needs[message["run"]]), seconds=1.0)
        self.answers.append({"event": "planned", "run": message["run"], "plan": plan.model_dump(mode="json")})

    def start(self, bench, message):
        if len(self.playing) >= 3:
            return False
        assert message["run"] not in self.playing
        assert message["run"] not in self.ended, "a run played twice"
        self.playing[message["run"]] = message["about"].get("id") or message["run"]
        return True

    def say(self, run, message):
        assert run in self.playing
        if message["do"] in {"stop", "skip", "halt"}:
            self.ending.append(run)

    def make_safe(self, bench):
        pass

    def hear(self, event):
        self.told.append(event)
        if event["event"] == "study" or (event["event"] == "state" and event["run"] not in self.playing):
            self.gone.add(event.get("study") or event["run"])

    def settle(self):
        """Let the desk and the processes talk until all is said."""
        while True:
            self.answers, stopping = [], self.ending
            self.ending = []
            self.desk.tick()
            for run in stopping:
                self.finish(run, "stopped")
            for answer in self.answers:
                self.desk.heard(answer)
            if not self.answers and not stopping and not self.ending:
                return

    def finish(self, run, state, fit=True):
        if run not in self.playing:
            return
        record = {"fits": [{"success": fit, "parameters": []}]}
        self.desk.heard({"event": "state", "run": run, "state": state, "path": "", "record": record})
        self.ended[run] = state
        item = self.playing.pop(run)
        if item == run:
            self.gone.add(run)
        self.desk.heard({"event": "free", "run": run})

    answers: list = []
    ending: list = []

    # What people do.
    @rule(target=runs, needs=RESOURCES, priority=st.integers(-1, 1), repeat=st.sampled_from([1, 1, 2]),
          loops=st.booleans())  # fmt: skip
    def submit(self, needs, priority, repeat, loops):
        return self.put(
            needs, priority=priority, repeat=repeat, loops=(Loop(over="tau", values="1,2,3"),) * loops
        )

    @rule(
        target=runs, needs=RESOURCES, run=runs, condition=st.sampled_from(["ended", "finished", "good_fit"])
    )
    def submit_after(self, needs, run, condition):
        return self.put(needs, after=After(run=run, needs=condition))

    def put(self, needs, **order):
        run = f"run{len(self.orders)}"
        self.orders[run], self.needs[run] = Order(experiment="x", **order), needs
        self.desk.do({"do": "submit", "run": run, "order": self.orders[run].model_dump(mode="json")})
        self.settle()
        return run

    @rule(what=st.sampled_from(["hold", "release", "stop", "skip", "halt", "make_safe", "pause"]))
    def command(self, what):
        self.desk.do({"do": what, "run": ""})
        self.settle()

    @rule(what=st.sampled_from(["stop", "skip", "halt"]), run=runs)
    def command_one(self, what, run):
        self.desk.do({"do": what, "run": run})
        self.settle()

    @rule(run=runs, position=st.integers(-1, 5))
    def move(self, run, position):
        self.desk.do({"do": "arrange", "run": run, "changes": {"position": position}})
        self.settle()

    @rule(
        run=runs,
        changes=st.sampled_from([{"priority": 3}, {"after": None}, {"due": "tomorrow"}, {"seed": 1}]),
    )
    def arrange(self, run, changes):
        self.desk.do({"do": "arrange", "run": run, "changes": changes})
        self.settle()

    # What happens.
    @rule(state=ENDS, fit=st.booleans(), data=st.data())
    def a_run_ends(self, state, fit, data):
        if self.playing:
            self.finish(data.draw(st.sampled_from(sorted(self.playing))), state, fit)
            self.settle()

    @rule(data=st.data())
    def a_run_cannot_have_its_instruments(self, data):
        if self.playing:
            run = data.draw(st.sampled_from(sorted(self.playing)))
            del self.playing[run]
            self.desk.heard({"event": "refused", "run": run, "message": "in use by a script"})
            self.desk._retry = dict.fromkeys(self.desk._retry, 0.0)
            self.settle()

    @rule()
    def the_machine_restarts(self):
        waiting = {item.id for item in self.desk.book.waiting}
        self.desk = Desk(self, self.hear, self.path)
        lost = self.desk.restore()
        assert {live.run for live in lost} == set(self.playing)
        assert {item.id for item in self.desk.book.waiting} == waiting
        assert self.desk.book.saved.held or not waiting
        for live in lost:
            self.finish(live.run, "interrupted")
        self.settle()

    @invariant()
    def nothing_is_lost_and_nothing_shares_an_instrument(self):
        if not hasattr(self, "desk"):
            return
        queued = {item.id for item in self.desk.book.items}
        for run in self.orders:
            assert (run in queued) != (run in self.gone), f"{run} is lost, or ended and still there"
        taken = [need for item in self.playing.values() for need in self.needs[item]]
        assert len(taken) == len(set(taken)), "two runs share an instrument"
        for event in self.told:
            if event["event"] == "study" and event["state"] == "finished":
                order = self.orders[event["study"]]
                assert len(event["runs"]) == order.repeat * (3 if order.loops else 1)

    @invariant()
    def what_could_play_plays(self):
        if hasattr(self, "desk") and len(self.playing) < 3:
            assert all(standing.state != "ready" for standing in self.desk._line())


Queue.TestCase.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestQueue = Queue.TestCase

"""No path gets round a limit: whatever asks, the device is told no value outside, and none that is no number."""

import itertools
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qlab import registry
from qlab.bench import Bench, BenchEntry
from qlab.errors import LimitError, QlabError, UsageError
from qlab.experiment import Experiment
from qlab.instrument import Instrument, Knob, Switch
from qlab.limits import check_sweep
from qlab.playing import check_limits
from qlab.pulses import Acquire, Delay, Program, compile_program
from qlab.record import Column, Signal
from qlab.running.hands import wanted
from qlab.scan import Values
from qlab.upkeep import Upkeep
from tests.flaky import Installed, ReadingParameters, install

LOW, HIGH = (
    -0.5,
    0.25,
)  # what bench (-0.5 to 0.5) and sample (-1 to 0.25) allow together; the device takes -2 to 2
ANY = st.floats(allow_nan=True, allow_infinity=True) | st.floats(-0.6, 0.6)
BENCH = {
    "name": "guarded",
    "instruments": {
        "guarded": {"driver": "tests.guarded", "limits": {"level": [LOW, 0.5]}, "rates": {"slow": "50 V/s"}},
    },
    "roles": {"source": "guarded"},
    "sample": {"name": "soft"},
    "samples": {"soft": {"limits": {"guarded": {"level": ["-1 V", "250 mV"]}}}},
}


class Guarded(Instrument):
    """Remembers everything that it was ever told."""

    level = Knob("V", limits=(-2.0, 2.0), safe=0.0)
    slow = Knob("V", limits=(-10.0, 10.0), safe=0.0)
    on = Switch(safe=False)

    def __init__(self):
        super().__init__()
        self.told = []

    def tell(self, knob, value):
        self.told.append((knob.name, value, time.monotonic()))
        super().tell(knob, value)

    def load_list(self, knob, values):
        self.told += [(knob, float(value), 0.0) for value in values]


class Careless(Experiment[ReadingParameters]):
    """Takes steps without looking, as an adaptive protocol may, on every path that its code has."""

    values, path = (), "set"

    def run(self):
        device = self.bench.instruments["guarded"]
        for value in type(self).values:
            try:
                match type(self).path:
                    case "set":
                        device.level = value
                    case "tell":
                        device.tell(type(device).level, value)
                    case "list":
                        device.load_list("level", np.array([0.0, value]))
                    case "knob":
                        device.set_knob(device.knobs()["level"], value)
            except LimitError:
                pass
            yield {"y": np.array([0.0]), "time": np.array([0.0]), "valid": np.ones(1, np.int8)}

    def axes(self):
        return ()

    def estimate(self):
        return len(type(self).values), 0.0

    def measured(self):
        return (Column(name="y", unit="V"),)

    def signals(self):
        return (Signal(name="mean", of="y"),)


@pytest.fixture(autouse=True)
def installed():
    install(careless=Careless)
    registry.plugins("instruments")["tests.guarded"] = Installed(Guarded)
    yield
    registry.plugins.cache_clear()


def bench():
    return Bench(BenchEntry.model_validate(BENCH), None, {}, "test")


def allowed(device):
    for name, value, _ in device.told:
        if name == "level":
            assert LOW <= value <= HIGH, value
    return True


def try_to(action):
    """Do it; return whether it was refused in the way that limits refuse."""
    try:
        action()
    except UsageError:
        return True
    return False


QUICK = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))


@given(value=ANY)
@QUICK
def test_neither_code_nor_panel_nor_a_program_nor_a_list_gets_round(value):
    made = bench()
    device = made.instruments["guarded"]
    good = bool(LOW <= value <= HIGH)
    program = Program(
        Delay(1e-6) + Acquire("counter", 1e-6, "counts"),
        setpoints={"source.level": Values((0.0, value)).symbol("level") if np.isfinite(value) else value},
    )
    for path in (
        lambda: setattr(device, "level", value),
        lambda: device.set_knob(type(device).level, value),
        lambda: device.tell(type(device).level, value),
        lambda: device.load_list("level", np.array([0.0, value])),
        lambda: wanted(made, "guarded", "level", value),
        lambda: wanted(made, "guarded", "level", repr(value)),
        lambda: check_sweep(device, "level", [0.0, value]),
        lambda: check_limits(made, compile_program(program)),
    ):
        assert try_to(path) is not good
    assert allowed(device)


@given(values=st.lists(ANY, min_size=1, max_size=5), path=st.sampled_from(["set", "tell", "list", "knob"]))
@QUICK
def test_an_experiment_that_does_not_look_is_held_back(values, path):
    from qlab.runner import Runner

    Careless.values, Careless.path = tuple(values), path
    made = bench()
    with tempfile.TemporaryDirectory() as folder:
        run = Runner(made, "tests.careless", {}, Path(folder)).run()
        assert len(run) == len(values)
    assert allowed(made.instruments["guarded"])


@given(low=st.floats(-1, 1), high=st.floats(-1, 1), setting=st.floats(-1, 1))
@QUICK
def test_parameters_typed_in_a_form_or_a_command_line_are_checked_whole_before_the_first_command(
    low, high, setting
):
    from qlab.runner import Runner

    made = bench()
    device = made.instruments["guarded"]
    typed = {
        "knob": "guarded.level", "values": f"{low!r} V,{high!r} V", "readouts": "guarded.slow",
        "settings": f"guarded.level={setting!r}", "passes": 1,
    }  # fmt: skip
    good = all(LOW <= value <= HIGH for value in (low, high, setting))
    with tempfile.TemporaryDirectory() as folder:
        if good:
            Runner(made, "generic.scan", typed, Path(folder)).run()
        else:
            with pytest.raises(LimitError):
                Runner(made, "generic.scan", typed, Path(folder))
            assert device.told == []
    assert allowed(device)


@given(value=ANY)
@QUICK
def test_upkeep_and_replay_are_refused_like_everybody_else(value):
    from qlab.control import Control
    from qlab.record import FitParameter, FitResult
    from qlab.running.chores import Chores
    from qlab.running.hands import Hands
    from qlab.running.ledger import Ledger
    from qlab.running.telling import Teller

    made = bench()
    device = made.instruments["guarded"]
    ledger = Ledger(made, Teller("run", None))
    replay = [{"row": 0, "knob": "guarded.level", "value": value, "source": "panel"}]
    Hands(made, frozenset(), Control(), ledger, replay).work()
    Careless.values = (0.0,)
    main = Careless(ReadingParameters())
    main.bind(made)
    chores = Chores(made, [], ledger, main, None)
    step = Upkeep(name="u", experiment="tests.careless", set={"guarded.level": "centre"})
    fit = FitResult(
        model="m", signal="s", success=True, parameters=(FitParameter(name="centre", value=value),)
    )
    chore = type("Chore", (), {"upkeep": step, "first": {}})()
    chores._apply(chore, fit)
    assert allowed(device)
    assert len(device.told) == 2 * bool(LOW <= value <= HIGH)


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=3))
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_knob_never_moves_faster_than_its_rate(values):
    made = bench()
    device = made.instruments["guarded"]
    for value in values:
        device.slow = value
    told = [(value, when) for name, value, when in device.told if name == "slow"]
    # 50 V/s in steps of 0.1 s: within no step more than 5 V, and none sooner than its size allows.
    for before, after in itertools.pairwise([0.0, *(value for value, _ in told)]):
        assert abs(after - before) <= 5.0 + 1e-9
    for (before, then), (after, now) in itertools.pairwise(told):
        assert abs(after - before) <= 50.0 * (now - then) + 5.0 + 1e-6
    assert told[-1][0] == values[-1]


def test_the_offending_point_is_named():
    device = bench().instruments["guarded"]
    with pytest.raises(LimitError, match=r"level = 300 mV is outside the limits of the sample.*\(point 3 of"):
        check_sweep(device, "level", [0.0, 0.1, 0.2, 0.3, 0.4])
    with pytest.raises(LimitError, match=r"cannot be set to nan \(point 1 of"):
        device.load_list("level", [0.0, float("nan")])


def test_a_switch_takes_no_nan():
    device = bench().instruments["guarded"]
    with pytest.raises(LimitError):
        device.on = float("nan")
    assert device.told == []


def test_a_sample_that_limits_what_is_not_there_is_refused():
    entry = {**BENCH, "samples": {"soft": {"limits": {"nothing": {"level": [0, 1]}}}}}
    with pytest.raises(QlabError, match="no instrument of the bench"):
        Bench(BenchEntry.model_validate(entry), None, {}, "test")


def test_a_guarded_knob_is_never_left_to_a_list():
    """A device that could step by itself is stepped from here where a ramp, a rate or a readback is asked for."""
    from qlab.playing import _steps_itself

    device = bench().instruments["guarded"]
    assert _steps_itself(device, "level")
    assert not _steps_itself(device, "slow")


def test_make_safe_ramps_too_and_is_given_the_time():
    device = bench().instruments["guarded"]
    device.slow = 10.0
    assert device.safe_seconds() == pytest.approx(0.1, abs=1e-6)
    thread = threading.Thread(target=device.make_safe)
    thread.start()
    thread.join(5)
    steps = [0.0, *(value for name, value, _ in device.told if name == "slow")]
    assert max(abs(b - a) for a, b in itertools.pairwise(steps)) <= 5.0 + 1e-9
    assert device.slow == 0.0

"""A driver that fails on demand in every way a real one does, and an experiment that reads it."""

import threading
import time

import numpy as np

from qlab import registry
from qlab.bench import Bench, BenchEntry
from qlab.errors import InstrumentError
from qlab.experiment import Experiment
from qlab.instrument import Instrument, Knob, Switch
from qlab.parameters import Parameters
from qlab.record import Axis, Column, Signal


class Flaky(Instrument):
    """`trouble` is what its next reading meets: error, drop, hang (ends when cut off), stuck (never ends), nan ..."""

    call_timeout = 0.2
    drive = Knob("V", limits=(-5.0, 5.0), safe=0.0)
    slow = Knob("A", limits=(-1.0, 1.0), safe=0.0, rate=20.0)
    on = Switch(safe=False)
    reading = Knob("V", settable=False)

    def __init__(self):
        super().__init__()
        self.trouble, self.value, self.serial = "", 1.0, "1"
        self.cut_off, self.free = threading.Event(), threading.Event()
        self.opened, self.told, self.threads = 0, [], set()
        self.unreachable = self.forgets = False

    def open(self):
        if self.unreachable:
            raise ConnectionRefusedError("nobody answers")
        self.opened += 1
        if self.forgets and self.opened > 1:
            self._held.clear()

    def identity(self):
        return {"model": "flaky", "serial": self.serial}

    def abort(self):
        self.cut_off.set()

    def ask(self, knob):
        self.threads.add(threading.get_ident())
        if knob.name != "reading":
            return super().ask(knob)
        trouble, self.trouble = self.trouble, ""
        match trouble:
            case "error":
                raise InstrumentError("The device says error 113.", "Look it up.")
            case "drop":
                raise ConnectionResetError("connection reset by peer")
            case "hang":
                self.cut_off.clear()
                assert self.cut_off.wait(30)
                raise OSError("bad file descriptor")
            case "stuck":
                self.free.wait(30)
            case "nan":
                return float("nan")
            case "overflow":
                return 9.9e37
        return self.value

    def tell(self, knob, value):
        self.threads.add(threading.get_ident())
        self.told.append((knob.name, value))
        super().tell(knob, value)


class ReadingParameters(Parameters):
    """How many points, and in how many passes."""

    points: int = 20
    passes: int = 2
    wait: float = 0.0


class Reading(Experiment[ReadingParameters]):
    """Sets the drive and reads, row by row."""

    def run(self):
        device = self.bench.instruments["flaky"]
        for _ in self.each_pass():
            for x in np.linspace(0.0, 1.0, self.parameters.points):
                device.drive = float(x)
                time.sleep(self.parameters.wait)
                y = np.array([device.reading])
                yield {
                    "x": np.array([x]),
                    "y": y,
                    "time": np.array([self.bench.now()]),
                    "valid": np.ones(1, np.int8),
                }

    def uses(self):
        return frozenset(self.bench.instruments)

    def axes(self):
        return (Axis(name="x", unit="V", values=tuple(np.linspace(0.0, 1.0, self.parameters.points))),)

    def measured(self):
        return (Column(name="y", unit="V"),)

    def signals(self):
        return (Signal(name="mean", unit="V", of="y"),)

    def estimate(self):
        return self.parameters.points * self.parameters.passes, 0.0


class Installed:
    """A plug-in that is here already."""

    distribution = "tests"

    def __init__(self, target):
        self.target = target

    def load(self):
        return self.target


def install(**experiments):
    """Install the driver `tests.flaky` and experiments `tests.NAME`."""
    registry.plugins.cache_clear()
    registry.plugins("instruments")["tests.flaky"] = Installed(Flaky)
    for name, kind in {"reading": Reading, **experiments}.items():
        registry.plugins("experiments")[f"tests.{name}"] = Installed(kind)


def flaky_bench(**more):
    """Return a bench with one flaky instrument and one that always works."""
    entry = {
        "name": "flaky",
        "instruments": {"flaky": {"driver": "tests.flaky"}, "other": {"driver": "tests.flaky"}},
    }
    return Bench(BenchEntry.model_validate({**entry, **more}), None, {}, "test")

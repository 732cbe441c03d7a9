"""The fault harness: one random fault at a random point of a random run, and what must hold afterwards.

The runs are driven through a `Session`, so that the same faults can be put to a run in this process and to one in the
supervised bench process.
"""

import contextlib
import os
import random
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from qlab import registry
from qlab.session import Order
from qlab.store import open_run

SERVER = Path(__file__).with_name("scpi_server.py")
BENCH = """
name = "rig"
[instruments.meter]
driver = "scpi.generic"
timeout = 0.4
[instruments.meter.options]
address = "TCPIP::127.0.0.1::PORT::SOCKET"
timeout = 0.3
[instruments.meter.options.knobs]
voltage = {unit = "V", get = "VOLT?", set = "VOLT {:.9g}", limits = ["-10 V", "10 V"], safe = 0.0}
on = {get = "OUTP?", set = "OUTP {:d}", kind = "switch", safe = false}
reading = {unit = "V", get = "MEAS?"}
"""
# A counter that meets one trouble at its n-th read; put into the drop-in folder, so that any process finds it.
COUNTER = """
from qlab.errors import InstrumentError
from qlab_instruments.sim.photon_counter import SimulatedPhotonCounter
import time

class Troubled(SimulatedPhotonCounter):
    call_timeout = 0.3
    reads = 0

    def __init__(self, world, trouble="", at=1):
        super().__init__(world)
        self.trouble, self.at, self.cut_off = trouble, at, False

    def abort(self):
        self.cut_off = True

    def read(self, timeout):
        self.reads += 1
        rows = super().read(timeout)
        if self.reads != self.at:
            return rows
        match self.trouble:
            case "error":
                raise InstrumentError("The counter says overload.", "Attenuate the light.")
            case "crash":
                raise KeyError("a fault in the driver")
            case "drop":
                raise ConnectionResetError("connection reset by peer")
            case "hang":
                self.cut_off = False
                while not self.cut_off:
                    time.sleep(0.01)
                raise OSError("bad file descriptor")
            case "stuck":
                time.sleep(4)
            case "nan":
                return {**rows, "counts": rows["counts"] * float("nan")}
            case "overflow":
                return {**rows, "counts": rows["counts"] * 1e300}
            case "garbage":
                return {name: values.astype(str) for name, values in rows.items()}
            case "short":
                return {**rows, "counts": rows["counts"][:-1]}
        return rows

plugin = Troubled
"""
PLAYED = """
name = "played"
[world]
kind = "nv"
[instruments.player]
driver = "sim.pulse_player"
[instruments.microwave]
driver = "sim.microwave"
[instruments.laser]
driver = "sim.laser"
[instruments.counter]
driver = "troubled"
options = {trouble = "TROUBLE", at = AT}
[roles]
player = "player"
microwave = "microwave"
laser = "laser"
counter = "counter"
"""
ENDED = {"finished", "stopped", "failed", "interrupted"}


class Rig:
    """A SCPI instrument in a child process, and the bench file that reaches it."""

    def __init__(self, folder):
        self.process = subprocess.Popen(
            [sys.executable, str(SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        port, control = self.process.stdout.readline().split()
        self.bench = folder / "rig.toml"
        self.bench.write_text(BENCH.replace("PORT", port))
        self._control = socket.create_connection(("127.0.0.1", int(control)))
        self._lines = self._control.makefile("rw")

    def say(self, text):
        """Send an order to the instrument's control; return its answer."""
        self._lines.write(text + "\n")
        self._lines.flush()
        return self._lines.readline().strip()

    @property
    def safe(self):
        """Whether the instrument itself says that it is at its safe values."""
        return [float(part) for part in self.say("state").split()] == [0.0, 0.0]

    def kill(self):
        """Take the instrument away altogether."""
        self.process.kill()

    def close(self):
        with contextlib.suppress(OSError):
            self._lines.close()
            self._control.close()
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            pipe.close()


@dataclass
class Told:
    """What a session told of one run."""

    events: list = field(default_factory=list)

    def states(self):
        return [e["state"] for e in self.events if e["event"] == "state"]

    def last(self):
        return [e for e in self.events if e["event"] == "state"][-1]


def drive(session, order, meet=None, deadline=60.0):
    """Submit an order and listen until its run ends; `meet(done)` is called with each count of rows told."""
    run = session.submit(order)
    told, end = Told(), time.monotonic() + deadline
    while True:
        for event in session.events():
            if event.get("run") == run:
                told.events.append(event)
                if event["event"] == "progress" and meet is not None:
                    meet(event["done"])
                if event["event"] == "state" and event["state"] in ENDED:
                    return told
        assert time.monotonic() < end, ("the run did not end", told.states())
        time.sleep(0.005)


def scan(rng, rig, out):
    """Return a random scan of the instrument: (order, points in it, seconds a point)."""
    points, passes = rng.randint(5, 25), rng.randint(1, 3)
    return Order(
        experiment="generic.scan",
        bench=str(rig.bench),
        out=str(out),
        parameters={
            "knob": "meter.voltage", "values": f"0.5V:{rng.uniform(1, 9):.3f}V:{points}", "passes": passes,
            "readouts": "meter.reading", "settings": "meter.on=1", "settle_time": f"{rng.choice([0, 2])} ms",
        },
    ), points * passes  # fmt: skip


def check(told, rows_before, whole, fault):
    """Assert what must hold after any fault; return the run."""
    last = told.last()
    run = open_run(last["path"])
    assert run.state == last["state"] in {"finished", "failed", "stopped"}, (fault, last)
    assert len(run) >= rows_before, (fault, len(run), rows_before)
    # Every row that came is right: the instrument says 2 V + 1 of what it was set to.
    good = np.isfinite(run["meter_reading"]) & (run["meter_reading"] < 1e37)
    assert np.allclose(run["meter_reading"][good], 2 * run["meter_voltage"][good] + 1, atol=1e-6), fault
    report = run.record.safe_report
    assert set(report) == {"meter"}
    assert report["meter"] == "safe" or ("meter" in report["meter"] and "by hand" in report["meter"]), report
    if run.state == "failed":
        # What happened, and what to do.
        assert "meter" in last["reason"], last
        assert len(last["hint"]) > 10, last
    else:
        assert (run.state, len(run)) == ("finished", whole), fault
    return run


def played(rng, trouble, at, folder):
    """Return a random pulsed run whose counter meets a trouble: (order, rows it has in all, rows before it)."""
    plugins = Path(os.environ["QLAB_PLUGINS"]) / "instruments"
    plugins.mkdir(parents=True, exist_ok=True)
    (plugins / "troubled.py").write_text(COUNTER)
    registry.plugins.cache_clear()
    bench = folder / "played.toml"
    bench.write_text(PLAYED.replace("TROUBLE", trouble).replace("AT", str(at)))
    points, passes = rng.randint(3, 20), rng.randint(2, 6)
    kind = rng.choice(["nv.ramsey", "nv.hahn_echo"])
    parameters = {"tau": f"0.1us:2us:{points}", "shots": 100, "passes": passes}
    order = Order(experiment=kind, bench=str(bench), out=str(folder / "runs"), parameters=parameters, seed=1)
    return order, points * passes, points * (min(at, passes + 1) - 1)


def randomly(seed):
    """Return the generator of one case."""
    return random.Random(seed)

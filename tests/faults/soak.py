"""The soak: hours of mixed use of a real supervisor, its bench processes and a real window, and what they come to.

`python -m tests.faults.soak 60` plays one minute of it and prints what was measured. Runs are paced: each lasts seconds
here and a minute or so on the clock of its bench; `simulated` is the sum of that.
"""

import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import psutil

from qlab.live import remove_left_over
from qlab.record import ENDED
from qlab.service.channel import Address, address_file
from qlab.service.client import connect
from qlab.session import Loop, Order
from qlab.settings import runtime_folder
from qlab.store import open_run

LOOK = 2.0  # s between two looks at the processes
# How late a process is that does nothing but wake each 16 ms: the part of the stalls that the machine has.
PULSE = """
import json, select, sys, time
late, last = [], time.perf_counter()
while not select.select([sys.stdin], [], [], 0)[0]:
    time.sleep(0.016)
    now = time.perf_counter()
    late.append(now - last - 0.016)
    last = now
late.sort()
print(json.dumps({"p99": late[int(0.99 * (len(late) - 1))], "worst": late[-1]}))
"""
RULE = {"name": "dark", "readout": "laser.power", "condition": "below", "threshold": -1, "action": "pause"}
ORDERS = (
    {"experiment": "nv.ramsey", "parameters": {"tau": "0us:4us:101", "shots": 100_000}, "pace": 6.0},
    {"experiment": "nv.rabi", "parameters": {"shots": 100_000}, "pace": 5.0},
    {"experiment": "nv.hahn_echo", "parameters": {"shots": 100_000}, "pace": 5.0},
    {"experiment": "nv.pulsed_odmr", "parameters": {"shots": 100_000}, "pace": 4.0},
    {"experiment": "generic.scan", "parameters": {"passes": 3}, "pace": 4.0},
    {"experiment": "nv.ramsey", "parameters": {"tau": "0us:3us:31", "shots": 20_000}, "pace": 1.0, "repeat": 2},
    {"experiment": "nv.ramsey", "parameters": {"tau": "0us:3us:31", "shots": 20_000}, "pace": 1.0,
     "loops": (Loop(over="coil.bx", values="0mT,0.1mT"),)},
)  # fmt: skip


class Soak:
    """One soak of so many seconds, in a folder of its own."""

    def __init__(self, folder: Path, seconds: float, seed: int = 0):
        self.folder, self.seconds, self.random = folder, seconds, random.Random(seed)
        self.looks = defaultdict(list)  # role -> [(time, rss, threads, handles)]
        self.ended, self.errors, self.paths = defaultdict(int), [], []
        self.simulated = 0.0  # s on the clock of the simulated bench
        self.running = ""
        self.orders = itertools.cycle(ORDERS)
        self.waiting = 0

    def play(self):
        self.session = connect("soak")
        code = [sys.executable, "-m", "tests.faults.soak_window", str(self.folder)]
        root = str(Path(__file__).parents[2])
        environment = {**os.environ, "PYTHONPATH": root}
        self.window = subprocess.Popen(
            code, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        assert self.window.stdout.readline().strip() == "up"
        self.pulse = subprocess.Popen(
            [sys.executable, "-c", PULSE], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.began = time.monotonic()
        measuring, self.times = False, psutil.cpu_times()
        looked = acted = 0.0
        while (now := time.monotonic() - self.began) < self.seconds:
            for event in self.session.events():
                self.hear(event)
            if self.waiting < 2:
                self.submit()
            if now - acted > 1.0:
                acted = now
                self.act()
            if now - looked > LOOK:
                looked = now
                self.look(now)
            if not measuring and now > min(20.0, self.seconds / 4):
                measuring = True
                self.tell("measure")
            time.sleep(0.02)
        return self.end()

    def stolen(self):
        """Return which part of the time that was worked the machine under this one kept for others."""
        spent = {
            name: value - getattr(self.times, name) for name, value in psutil.cpu_times()._asdict().items()
        }
        busy = sum(
            value for name, value in spent.items() if name not in {"idle", "iowait", "guest", "guest_nice"}
        )
        return spent.get("steal", 0.0) / max(busy, 1e-9)

    def submit(self):
        order = Order(
            out=str(self.folder), bench="sim-nv", seed=self.random.randrange(2**31), **next(self.orders)
        )
        self.session.submit(order)
        self.waiting += 1

    def hear(self, event):
        match event["event"]:
            case "queue":
                self.waiting = len(event["items"])
            case "started":
                self.running = event["run"]
            case "state" if event["state"] in ENDED:
                self.ended[event["state"]] += 1
                self.running = ""
                if event["path"]:
                    self.paths.append(event["path"])
                    self.simulated += lasted(event["path"])
                if event["state"] in {"failed", "interrupted"}:
                    self.errors.append(event["reason"])
            case "bench" if event["state"] in {"restarting", "gone"}:
                self.errors.append(event["message"])
            case "log" if event["level"] == "error":
                self.errors.append(event["message"])

    def act(self):
        """Do what people do, one thing at a time."""
        session, run = self.session, self.running
        match self.random.randrange(9):
            case 0:
                session.command("pause")
                session.command("resume")
            case 1 if run:
                session.extend(run, 1)
            case 2:
                session.watch("sim-nv", [RULE] if self.random.random() < 0.5 else [])
            case 3:
                session.panel("sim-nv", self.random.random() < 0.7)
            case 4:
                session.set_knob("sim-nv", "coil", "by", self.random.uniform(0, 1e-4), take_over=True)
            case 5 if self.paths:
                self.tell(f"open {self.random.choice(self.paths[-20:])}")
            case 6:
                self.tell("fit")
            case 7 if self.paths:
                found = open_run(self.random.choice(self.paths[-20:]))
                if found.record.fit and len(found):
                    found.fit()
            case 8 if self.random.random() < 0.2:
                session.command("skip")

    def tell(self, line):
        self.window.stdin.write(line + "\n")
        self.window.stdin.flush()

    def processes(self):
        found = {"window": psutil.Process(self.window.pid)}
        address = Address.read(address_file())
        if address is not None:
            supervisor = found["supervisor"] = psutil.Process(address.pid)
            children = sorted(supervisor.children(), key=lambda p: p.create_time())
            found |= {"worker" if i == 0 else f"worker {i + 1}": child for i, child in enumerate(children)}
        return found

    def look(self, now):
        for role, process in self.processes().items():
            try:
                with process.oneshot():
                    self.looks[role].append(
                        (now, process.memory_info().rss, process.num_threads(), process.num_fds())
                    )
            except psutil.NoSuchProcess:
                continue

    def end(self):
        """Let everything come to rest, look once more, and return what was measured."""
        self.session.command("hold")
        self.session.command("stop")
        self.session.panel("sim-nv", False)
        deadline = time.monotonic() + 30
        while self.running and time.monotonic() < deadline:
            for event in self.session.events():
                self.hear(event)
            time.sleep(0.05)
        tables = [p.name for p in runtime_folder().glob("*.live")]
        self.tell("told")
        window = json.loads(self.window.stdout.readline())
        machine = json.loads(self.pulse.communicate(b"told\n", timeout=30)[0])
        left = self.processes()
        self.tell("end")
        self.window.communicate(timeout=30)
        self.session.close()
        gone = psutil.wait_procs(list(left.values()), timeout=30)[1]
        remove_left_over(runtime_folder())
        return {
            "seconds": self.seconds, "simulated": round(self.simulated), "runs": dict(self.ended),
            "errors": self.errors, "files": len(self.paths), "window": window, "machine": machine,
            "stolen": round(self.stolen(), 4),
            "live_tables_left": tables, "processes_left": [p.pid for p in gone],
            "roles": {role: self.course(looks) for role, looks in self.looks.items() if len(looks) > 20},
        }  # fmt: skip

    def course(self, looks):
        """Return memory (MB), threads and handles in the middle and at the end: medians over a sixth of the time."""
        middle = [x for x in looks if 0.5 * self.seconds <= x[0] < 0.67 * self.seconds]
        last = [x for x in looks if x[0] >= 0.83 * self.seconds]
        if not middle or not last:
            return {}
        made = {}
        for name, i, scale in (("memory", 1, 1e-6), ("threads", 2, 1), ("handles", 3, 1)):
            made[name] = [round(statistics.median(x[i] for x in part) * scale, 2) for part in (middle, last)]
        made["growth"] = round(made["memory"][1] / made["memory"][0] - 1, 4)
        return made


def lasted(path):
    """Return how long a run took on the bench's own clock, s."""
    found = open_run(path)
    return float(found["time"][-1]) if len(found) else 0.0


if __name__ == "__main__":
    # Sockets have short names only.
    with tempfile.TemporaryDirectory(prefix="qs") as place:
        for name in ("RUNTIME", "STATE", "CONFIG", "PLUGINS"):
            os.environ[f"QLAB_{name}"] = f"{place}/{name.lower()}"
        (Path(place) / "runtime").mkdir()
        print(json.dumps(Soak(Path(place) / "data", float(sys.argv[1])).play(), indent=1))

"""A session that plays a simulated Ramsey on a live table, and a worker that answers at once."""

import datetime as dt
import uuid
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from qlab.errors import QlabError
from qlab.following import follow
from qlab.live import LiveTable
from qlab.record import Axis, Column, Figure, FitParameter, FitResult, Record, Signal
from qlab.scan import Linear, parse_scan
from qlab_ui import sequence, work
from qlab_ui.library import Listed, Page
from qlab_ui.work import Fitted


def field(name, kind, default, title="", unit="1", **more):
    base = {
        "name": name, "title": title or name.replace("_", " ").capitalize(), "description": "", "group": "",
        "kind": kind, "unit": unit, "default": default, "minimum": None, "maximum": None, "choices": [],
    }  # fmt: skip
    return {**base, **more}


def entry(name, title, group, summary, fields=None):
    return {
        "name": name, "title": title, "group": group, "platform": name.partition(".")[0], "summary": summary,
        "help": f"{summary}\n\nA longer explanation.", "roles": {}, "fit": "damped_cosine",
        "fields": RAMSEY_FIELDS if fields is None else fields,
    }  # fmt: skip


RAMSEY_FIELDS = [
    field("tau", "scan", "0.0s:4e-06s:201", "Precession time", "s", minimum=0,
          description="How long the spin precesses freely between the two pulses"),
    field("fringe_frequency", "quantity", 4e6, "Fringe frequency", "Hz",
          description="Programmed ramp of the phase of the second pulse"),
    field("shots", "integer", 20000, "Shots", minimum=1, maximum=10_000_000,
          description="How often each point is measured"),
    field("passes", "integer", 10, "Passes", minimum=1),
    field("upkeep", "boolean", True, "Track resonance"),
    field("drive", "choice", "resonant", "Drive", choices=["resonant", "detuned", "both_ways"]),
    field("weight", "number", 0.5, "Weight", minimum=0, maximum=1),
    field("note", "text", "", "Note"),
    field("readout_window", "quantity", 3e-7, "Readout window", "s", minimum=0, group="Readout"),
    field("laser_power", "quantity", 1e-3, "Laser power", "W", minimum=0, group="Readout"),
]  # fmt: skip

CATALOGUE = [
    entry("nv.cw_odmr", "CW-ODMR", "Spectroscopy", "Fluorescence against the frequency of a weak drive."),
    entry("nv.pulsed_odmr", "Pulsed ODMR", "Spectroscopy", "The spectrum without power broadening."),
    entry("nv.rabi", "Rabi", "Coherence", "Oscillation between the spin states under the drive."),
    entry("nv.ramsey", "Ramsey", "Coherence", "Two π/2 pulses around a free precession: the DC magnetometer."),
    entry("nv.hahn_echo", "Hahn echo", "Coherence", "A refocusing pulse takes out what is slow."),
    entry("nv.t1", "T1 relaxation", "Coherence", "Decay of the population in the dark.", []),
    entry("generic.scan", "Scan", "", "Any knob against any reading.", []),
    {"name": "lab.broken", "broken": "The experiment 'lab.broken' is broken: ImportError: No module named 'lab'."},
]  # fmt: skip
INSTRUMENTS = {
    "microwave": {
        "kind": "MicrowaveSource", "state": "open", "message": "",
        "identity": {"vendor": "qlab", "model": "Source", "serial": "0"},
        "knobs": {
            "frequency": {"value": 2.87e9, "unit": "Hz", "limits": [9e3, 6e9], "writable": True,
                          "doc": "Carrier frequency", "choices": None, "age": 0.1},
            "power": {"value": -10.0, "unit": "dBm", "limits": [-60, 20], "writable": True, "doc": "",
                      "choices": None, "age": 0.1},
            "on": {"value": False, "unit": "1", "limits": None, "writable": True, "doc": "", "choices": None,
                   "age": 0.1},
        },
    },
    "laser": {
        "kind": "Laser", "identity": "simulated", "state": "lost", "message": "does not answer since 14:03",
        "knobs": {"power": {"value": 1e-3, "unit": "W", "limits": [0, 5e-3], "writable": True, "doc": "",
                            "choices": None, "age": 12.0}},
    },
    "counter": {
        "kind": "PhotonCounter", "identity": "simulated", "state": "open", "message": "",
        "knobs": {"rate": {"value": 1.234e5, "unit": "1/s", "limits": None, "writable": False, "doc": "",
                           "choices": None, "age": 0.2}},
    },
}  # fmt: skip
FREQUENCY, T2 = 5.0e5, 1.8e-6


def ramsey_record(points=201, state="running", run=None, **more):
    tau = tuple(float(v) for v in Linear(0, 4e-6, points).values())
    return Record(
        id=run or str(uuid.uuid4()), experiment="nv.ramsey", title="Ramsey", state=state,
        parameters={"tau": Linear(0, 4e-6, points, "s").to_dict(), "fringe_frequency": 4e6, "shots": 20000},
        columns=(
            Column(name="tau", unit="s", role="setpoint"),
            Column(name="counts", role="raw"),
            Column(name="reference", role="raw"),
            Column(name="valid", role="valid"),
        ),
        axes=(Axis(name="tau", unit="s", long_name="precession time", values=tau),),
        signals=(
            Signal(name="contrast", long_name="normalised fluorescence", rule="ratio", of="counts", per="reference"),
            Signal(name="raw", long_name="counts", rule="mean", of="counts"),
        ),
        fit="damped_cosine", expected_rows=points * 10, simulated=True, seed=1,
        expected={"frequency": FREQUENCY, "T2*": T2},
        bench={"name": "sim-nv", "instruments": {"laser": {"power": 1e-3}}},
        software={"qlab": "0.1.0", "python": "3.11"}, quantum={"system": "NV centre", "spin": "1"},
        started=dt.datetime.now().astimezone().isoformat(), **more,
    )  # fmt: skip


def ramsey_rows(tau, seed=1):
    rng = np.random.default_rng(seed)
    tau = np.asarray(tau)
    p = 0.5 + 0.5 * np.cos(2 * np.pi * FREQUENCY * tau) * np.exp(-((tau / T2) ** 2))
    return {
        "tau": tau,
        "counts": rng.poisson(600 * (0.7 + 0.3 * p)).astype(float),
        "reference": rng.poisson(600, len(tau)).astype(float),
        "valid": np.ones(len(tau)),
    }


class FakeSession:
    """Plays orders as Ramsey runs; every call of `events` measures `step` rows more."""

    def __init__(self, folder: Path, step: int = 40, catalogue=CATALOGUE, fail_at: int | None = None) -> None:
        self.folder, self.step, self.fail_at = folder, step, fail_at
        self.orders, self.commands, self.checks = [], [], []
        self.closed = False
        self.asked = []  # everything else that was asked for, by name
        self._events = [{"event": "ready", "catalogue": catalogue}] if catalogue is not None else []
        self._waiting = []
        self._run = None

    def begin(self):
        """Nothing has to be started."""

    def submit(self, order):
        run = str(uuid.uuid4())
        self.orders.append(order)
        self._waiting.append((run, order))
        self._events.append({"event": "queued", "run": run, "order": order.model_dump()})
        self._tell_queue()
        return run

    def check(self, token, experiment, parameters, bench):
        self.checks.append((token, experiment, parameters))
        problems = {}
        if parameters.get("shots") == 13:
            problems["shots"] = "shots: 13 is refused: it brings bad luck."
        points = len(parse_scan(parameters["tau"], "s")) if "tau" in parameters else 1
        self._events.append(
            {"event": "checked", "token": token, "problems": problems, "rows": points * 10, "seconds": 42.0}
        )

    def follow(self, token, program, point, bench, truth):
        self.asked.append(("follow", token, point, bench, dict(truth)))
        self._events.append(
            {"event": "followed", "token": token, "path": follow(program, point, bench, truth)}
        )

    def command(self, what, run=""):
        self.commands.append(what)
        if what == "make_safe":
            self._events.append({"event": "safe", "report": {"laser": "off", "microwave": "off"}})
        elif self._run is not None:
            states = {"pause": "paused", "resume": "running"}
            if what in states:
                self._change(states[what])
            else:
                self._end("stopped", "stopped by hand" if what == "stop" else "halted")

    def extend(self, run, passes):
        self.asked.append(("extend", run, passes))

    def arrange(self, run, changes):
        self.asked.append(("arrange", run, dict(changes)))
        ids = [waiting for waiting, _ in self._waiting]
        if "position" in changes and run in ids:
            self._waiting.insert(changes["position"], self._waiting.pop(ids.index(run)))
        self._tell_queue()

    def panel(self, bench, watch):
        self.asked.append(("panel", bench, watch))
        if watch:
            self.tell_panel(bench)

    def set_knob(self, bench, instrument, knob, value, *, take_over=False):
        self.asked.append(("set_knob", bench, instrument, knob, value, take_over))

    def watch(self, bench, rules):
        self.asked.append(("watch", bench, list(rules)))
        self._events.append({"event": "watch", "bench": bench, "rules": list(rules), "firing": []})

    def tell_panel(self, bench, owner=""):
        self._events.append({"event": "panel", "bench": bench, "owner": owner, "instruments": INSTRUMENTS})

    def _tell_queue(self):
        items = []
        if self._run is not None:
            items.append({"run": self._run.record.id, "order": {"experiment": "nv.ramsey", "bench": "sim-nv"},
                          "title": "Ramsey", "state": "running", "why": "", "seconds": 42.0,
                          "starts": "", "ends": ""})  # fmt: skip
        for run, order in self._waiting:
            items.append({"run": run, "order": order.model_dump(mode="json"), "title": order.experiment,
                          "state": "waiting", "why": "", "seconds": 42.0, "starts": "", "ends": ""})  # fmt: skip
        self._events.append({"event": "queue", "held": False, "items": items})

    def events(self):
        if self._run is None and self._waiting:
            self._start(*self._waiting.pop(0))
        elif self._run is not None and self._run.record.state == "running":
            self._measure()
        events, self._events = self._events, []
        return events

    def close(self):
        self.closed = True
        if self._run is not None:
            self._run.table.close(remove=True)
            self._run = None

    def _start(self, run, order):
        tau = parse_scan(order.parameters.get("tau", "0s:4us:201"), "s")
        record = ramsey_record(len(tau), run=run)
        table = LiveTable.create(self.folder / f"{run}.live", record.columns, record.expected_rows)
        played = np.tile(np.asarray(record.axes[0].values), 10)
        self._run = SimpleNamespace(record=record, table=table, rows=ramsey_rows(played), total=len(played))
        self._events.append(
            {"event": "started", "run": run, "record": record.model_dump(mode="json"),
             "table": str(table.path), "path": str(self.folder / f"{run}.part.h5")}
        )  # fmt: skip

    def _measure(self):
        run = self._run
        done = len(run.table)
        if self.fail_at is not None and done >= self.fail_at:
            self._end("failed", "The laser did not answer within 2 s.", "Switch it on and run again.")
            return
        last = min(done + self.step, run.total)
        run.table.append({name: column[done:last] for name, column in run.rows.items()})
        left = (run.total - last) / max(self.step, 1) * 0.033
        self._events.append(
            {"event": "progress", "run": run.record.id, "done": last, "total": run.total,
             "elapsed": 1.0, "remaining": left}
        )  # fmt: skip
        if last == run.total:
            self._end("finished", "")

    def _change(self, state):
        self._run.record = self._run.record.model_copy(update={"state": state})
        self._events.append(
            {"event": "state", "run": self._run.record.id, "state": state, "reason": "", "hint": ""}
        )

    def _end(self, state, reason, hint=""):
        run = self._run
        figures = (
            Figure(name="sensitivity", label="DC field sensitivity", value=1.23e-8, error=4e-10, unit="T/√Hz",
                   definition="Smallest field that one second of measurement resolves", source="Barry 2020"),
            Figure(name="sql", label="Standard quantum limit", value=9.1e-9, unit="T/√Hz", limit_of="sensitivity"),
        ) if state == "finished" else ()  # fmt: skip
        record = run.record.model_copy(update={"state": state, "reason": reason, "figures": figures})
        self._events.append(
            {"event": "state", "run": record.id, "state": state, "reason": reason, "hint": hint,
             "path": str(self.folder / f"{record.id}.h5"), "record": record.model_dump(mode="json")}
        )  # fmt: skip
        run.table.close(remove=True)
        self._run = None


def fake_fit(record, view, model):
    """A fit that knows the truth."""
    axis, value, error = view.axes[0][1], view.value, view.error
    taken = np.isfinite(value)

    def curve(t):
        p = 0.5 + 0.5 * np.cos(2 * np.pi * FREQUENCY * t) * np.exp(-((t / T2) ** 2))
        return 0.7 + 0.3 * p

    result = FitResult(
        model=model, signal=view.signal.name, success=True, chi2=204.3, degrees_of_freedom=196,
        parameters=(
            FitParameter(name="frequency", label="Frequency", value=5.002e5, error=420.0, unit="Hz"),
            FitParameter(name="T2*", label="Dephasing time T2*", value=1.81e-6, error=3.1e-8, unit="s"),
            FitParameter(name="contrast", label="Contrast", value=0.298, error=0.004),
            FitParameter(name="phase", label="Phase", value=0.0, unit="rad"),
        ),
    )  # fmt: skip
    x = axis[taken]
    dense = np.linspace(x[0], x[-1], 1001)
    return Fitted(result, dense, curve(dense), curve(x), x, (value[taken] - curve(x)) / error[taken], True)


class FakeWorker:
    """Answers at the next poll; files are made up."""

    def __init__(self, summaries=(), files=None) -> None:
        self.summaries, self.files = list(summaries), files or {}
        self.asked = []
        self.notes = {}
        self._answers = []

    def ask(self, done, failed, function, *arguments):
        self.asked.append((function.__name__, arguments))
        answer = getattr(self, f"_{function.__name__}", function)
        self._answers.append((done, failed, answer, arguments))

    def poll(self):
        answers, self._answers = self._answers, []
        for done, failed, answer, arguments in answers:
            try:
                got = answer(*arguments)
            except QlabError as error:
                failed(error)
            else:
                done(got)

    def close(self):
        self._answers = []

    def _fit(self, record, view, model, rows, start=None):
        """The real function makes the figures of merit; the fit is made up."""
        made = fake_fit(record, view, model)
        return replace(made, figures=work.figures(record, made.result, rows))

    def _read_note(self, path):
        return self.notes.get(path, work.Note())

    def _write_note(self, path, note):
        self.notes[path] = note

    def _fair_report(self, path):
        return work.fair_report(path)  # the real one

    def _completion(self, record):
        return work.completion(record)  # the real one

    def _expected(self, record, signal, truth):
        return work.expected(record, signal, truth)  # the real one

    def _lay_out(self, program):
        return sequence.lay_out(program)  # the real one

    def _drawn(self, record, view, result):
        return fake_fit(record, view, result.model)

    def _list_folder(self, folder, query, offset, most):
        found = [s for s in self.summaries if query.casefold() in f"{s.title} {s.experiment}".casefold()]
        return Page(tuple(found[offset : offset + most]), offset, len(found))

    def _open_file(self, path):
        return self.files[path]

    _open_path = _open_file


def summary(
    title="Rabi", experiment="nv.rabi", state="finished", rows=101, path="/data/a.h5", figures=None, run=None
):
    return Listed(
        path=path, id=run or str(uuid.uuid4()), experiment=experiment, title=title, state=state,
        started="2026-11-21T13:55:00+00:00", rows=rows, simulated=True, figures=figures or {}, reason="",
    )  # fmt: skip

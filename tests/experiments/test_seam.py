"""The seam between protocols and benches: sources name no device, and every player plays the same edges."""

import ast
import inspect
import re
from importlib.metadata import entry_points
from pathlib import Path

import h5py
import numpy as np
import pytest

import qlab_experiments
import qlab_instruments
from qlab.pulses import Program, compile_program
from qlab.registry import load
from qlab_instruments.file.awg import FileAWG
from qlab_instruments.sim.pulse_player import SimulatedPulsePlayer

ROOT = Path(inspect.getfile(qlab_experiments)).parent
SOURCES = sorted(ROOT.rglob("*.py"))
MAKERS = {path.name for path in Path(inspect.getfile(qlab_instruments)).parent.iterdir() if path.is_dir()}
DRIVERS = {point.name for point in entry_points(group="qlab.instruments")}
ASKS = re.compile(r"simulat|\bsim\b|rehears|\bmock|\bdummy|\bfake", re.IGNORECASE)
PLAYED = (
    "nv.xy8", "nv.qdyne", "nv.vector", "ion.ghz", "atom.squeezing", "atom.gravimeter", "atom.rydberg",
    "photon.mach_zehnder", "photon.hom", "transmon.ramsey", "transmon.readout", "clock.rabi",
    "clock.servo", "atom.gravity_lock", "metrology.adaptive_phase",
)  # fmt: skip


def code(source):
    """Return (identifiers, imported modules, strings that are not prose) of a module."""
    tree = ast.parse(source)
    names, modules, strings = set(), set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add(node.module or "")
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
            strings.add(node.value)
    return names, modules, strings


def offences(source):
    """Return what in a module names a device or asks whether it is simulated; presets are names of benches."""
    names, modules, strings = code(source)
    found = {name for name in names if ASKS.search(name)}
    found |= {
        m
        for m in modules
        if m.split(".")[0] in {"qlab_instruments", "pyvisa", "serial", "qcodes", "pymeasure"}
    }
    said = {text for text in strings if not re.fullmatch(r"sim-[a-z-]+", text)}
    found |= {text for text in said if text in DRIVERS or ASKS.search(text)}
    return found | {text for text in said if text.split(".")[0] in MAKERS - {"file"} and "." in text}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_experiment_names_a_device_or_asks_whether_it_is_simulated(path):
    assert not offences(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "source",
    [
        "if self.bench.simulated:\n    pass", "from qlab_instruments.sim import laser", "x = 'sim.pulse_player'",
        "if player.driver == 'swabian.pulse_streamer':\n    pass", "import pyvisa",
        "run(is_simulation=True)\nis_simulation",
    ],
)  # fmt: skip
def test_a_source_that_does_is_found(source):
    assert offences(source)


def test_presets_are_used_for_nothing_but_the_preset():
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare):
                text = ast.unparse(node)
                assert "preset" not in text, (path.name, text)
                assert "'sim-" not in text, (path.name, text)


def on_samples(timeline):
    """Return the coarsest sample, ps, on which all edges of all points lie, and the end of the longest shot too."""
    edges = np.concatenate([np.ravel(edge) for e in timeline.events for edge in (e.start, e.stop)])
    return int(np.gcd.reduce(np.concatenate([edges, np.ravel(timeline.duration)])))


def edges(on, step):
    """Return where a line of samples goes on and off, ps."""
    return (np.flatnonzero(np.diff(np.concatenate([[0], on.astype(np.int8), [0]]))) * step).tolist()


def played(timeline, channel, point):
    """Return the same from the events that the simulated player was given, what touches joined."""
    spans = sorted(
        (int(e.start[point]), int(e.stop[point]))
        for e in timeline.events
        if e.channel == channel and (e.kind != "play" or e.amplitude[point] != 0)
    )
    found = []
    for start, stop in (span for span in spans if span[0] < span[1]):
        if found and start <= found[-1]:
            found[-1] = max(found[-1], stop)
        else:
            found += [start, stop]
    return found


class Bare:
    """As much of a world as a player needs."""

    timeline = None


@pytest.mark.parametrize("name", PLAYED)
def test_the_simulated_player_and_an_awg_that_writes_files_play_the_same_edges(name, tmp_path):
    experiment = load("experiments", name).read({})
    # Squeezing plays two programs for each twisting time; the turn of the first is no round number of samples.
    program = experiment.program() or experiment.programs(0.3e-3)[1]
    stored = program.to_dict()
    player = SimulatedPulsePlayer(Bare())
    player.load(compile_program(Program.from_dict(stored)))
    player.start()
    simulated = player.world.timeline
    ends = sorted({0, len(simulated) // 3, len(simulated) - 1})
    timeline = compile_program(Program.from_dict(stored)).take(np.array(ends))
    step = on_samples(timeline)
    drives = sorted({e.channel for e in timeline.events if e.kind == "play"})
    markers = {c: i + 1 for i, c in enumerate(sorted({e.channel for e in timeline.events} - set(drives)))}
    pairs = {c: (2 * i + 1, 2 * i + 2) for i, c in enumerate(drives)}
    high = max((float(np.max(e.amplitude)) for e in timeline.events if e.kind == "play"), default=1.0) or 1.0
    wiring = {c: {"i": i, "q": q, "volts_per_hertz": 0.5 / high} for c, (i, q) in pairs.items()}
    awg = FileAWG(
        str(tmp_path), drives=wiring, markers=markers, sample_rate=1e12 / step, granularity=1, shortest=1
    )
    awg.open()
    awg.load(timeline)
    awg.start()
    with h5py.File(tmp_path / "played-0001.h5") as file:
        for at, point in enumerate(ends):
            group = file[f"waveform_{file['table'][at][0]}"]
            outputs, bits = group["outputs"][:], group["markers"][:]
            for channel, (i, q) in pairs.items():
                on = np.abs(outputs[[i - 1, q - 1]]).max(axis=0) > 1e-9
                assert edges(on, step) == played(simulated, channel, point), (channel, point)
            for channel, bit in markers.items():
                assert edges((bits >> (bit - 1)) & 1, step) == played(simulated, channel, point), (
                    channel,
                    point,
                )

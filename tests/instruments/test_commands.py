"""`qlab instrument check`, `qlab bench new` and `check`, `qlab new`: what they find, write and refuse."""

import json
import runpy

import pytest
from typer.testing import CliRunner

from qlab import registry
from qlab.bench import Bench
from qlab.cli.app import app
from qlab.errors import UsageError
from qlab_instruments.dialogues.device import SimulatedDevice
from qlab_instruments.dialogues.server import Served


@pytest.fixture(autouse=True)
def fresh():
    registry.plugins.cache_clear()
    yield
    registry.plugins.cache_clear()


def call(*words):
    return CliRunner().invoke(app, list(words))


def test_a_driver_is_checked_on_its_simulated_device():
    said = call("instrument", "check", "srs.sr860", "--role", "lock_in", "--json")
    assert said.exit_code == 0
    checks = {row["check"]: row for row in json.loads(said.stdout)}
    assert checks["lock_in: units"]["seen"] == "x in V, y in V"
    assert all(row["ok"] for row in checks.values())


def test_a_role_that_does_not_fit_fails_and_says_what_is_missing():
    said = call("instrument", "check", "srs.sr830", "--role", "laser")
    assert said.exit_code == 1
    assert "A Laser needs on, power" in said.stdout
    assert isinstance(call("instrument", "check", "srs.sr830", "--role", "teapot").exception, UsageError)


def test_an_instrument_of_a_bench_and_a_strangers_driver_are_checked():
    assert call("instrument", "check", "microwave", "--bench", "sim-nv").exit_code == 0
    said = call(
        "instrument", "check", "qcodes:mock_instruments.DummyInstrument", "-o", "gates=['dac1']", "--move"
    )
    assert said.exit_code == 0, said.stdout
    assert "2 values set and read back" in said.stdout


def test_a_driver_that_does_wrong_is_caught(tmp_path, monkeypatch):
    folder = tmp_path / "plugins" / "instruments"
    folder.mkdir(parents=True)
    (folder / "liar.py").write_text(
        """
from qlab.instrument import Instrument, Knob, Switch

class Liar(Instrument):
    frequency = Knob("Hz", limits=(0, 10))
    power = Knob("W", limits=(0, 1))
    on = Switch()

    def set_knob(self, knob, value):
        self._held[knob.name] = value * 0.9

plugin = Liar
"""
    )
    said = call("instrument", "check", "liar", "--role", "microwave", "--move", "-o", "x=1")
    assert isinstance(said.exception, UsageError)
    from qlab.conformance import conform

    failed = {
        c.name: c.seen
        for c in conform(registry.load("instruments", "liar")(), ("microwave",), move=True)
        if not c.ok
    }
    assert "took -1.0" in failed["refuses what is outside its limits"]
    assert "was set to" in failed["sets what it reads back"]
    assert "power is in 'W', not in 'dBm'" in failed["microwave: units"]
    assert "does not switch it off" in failed["microwave: does its work"]


def test_a_bench_is_made_of_what_answers(tmp_path):
    file = tmp_path / "found.toml"
    with (
        Served(SimulatedDevice.read("srs.sg380")) as source,
        Served(SimulatedDevice.read("thorlabs.itc4000")) as laser,
    ):
        stranger = SimulatedDevice.of({"identity": "Nobody,X,1,1"})
        with Served(stranger) as unknown:
            words = [w for one in (source, laser, unknown) for w in ("--address", one.address)]
            nowhere = ["--address", "TCPIP::127.0.0.1::9::SOCKET"]
            said = call("bench", "new", str(file), *words, *nowhere, "--simulate", "nv", "--no-scan")
            assert said.exit_code == 0, said.output
            text = file.read_text()
            assert f"# {unknown.address}: Nobody,X,1,1" in text
            assert "# TCPIP::127.0.0.1::9::SOCKET: ! ConnectionRefusedError" in text
            bench = Bench.load(file)
            assert bench.entry.roles["microwave"] == "sg380"
            assert bench.entry.roles["laser"] == "itc4000"
            assert bench.entry.roles["counter"] == "sim_counter"
            assert bench.entry.instruments["sg380"].options["serial"] == "s/n001234"
            checked = call("bench", "check", str(file), "--trace")
            assert checked.exit_code == 0, checked.output
            assert "SG384" in checked.output
            assert "> *IDN?" in checked.output
            assert stranger.heard == ["*IDN?"]
        laser.device.fixed["*IDN?"] = "Nobody,X,1,1"
        checked = call("bench", "check", str(file))
        assert checked.exit_code == 1
        assert "is not a Thorlabs ITC4000" in checked.output
        assert "SG384" in checked.output  # the others are still looked at
    assert isinstance(call("bench", "new", str(file)).exception, UsageError)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("name = 'x'", "has no instruments"),
        ("[instruments.a]\ndriver = 'sim.laser'\n[world]\nkind = 'nv'", "No instrument has a role"),
    ],
)
def test_an_empty_bench_does_not_pass(tmp_path, text, part):
    file = tmp_path / "empty.toml"
    file.write_text(text)
    said = call("bench", "check", str(file))
    assert said.exit_code != 0
    assert part in said.output + str(said.exception)


def test_what_is_begun_runs_at_once(tmp_path):
    said = call("new", "instrument", "my_source")
    assert said.exit_code == 0
    registry.plugins.cache_clear()
    assert call("instrument", "check", "my_source").exit_code == 0
    folder = tmp_path / "plugins" / "instruments"
    written = runpy.run_path(str(folder / "tests" / "test_my_source.py"))
    tests = [thing for name, thing in written.items() if name.startswith("test_")]
    assert len(tests) == 2
    for test in tests:
        test()
    assert isinstance(call("new", "instrument", "my_source").exception, UsageError)
    assert isinstance(call("new", "instrument", "My Source").exception, UsageError)


def test_a_begun_experiment_is_found_and_bound(tmp_path):
    assert call("new", "experiment", "my_odmr").exit_code == 0
    registry.plugins.cache_clear()
    made = registry.load("experiments", "my_odmr").read({})
    made.bind(Bench.load("sim-nv"))
    made.preflight()
    assert (tmp_path / "plugins" / "experiments" / "tests" / "test_my_odmr.py").exists()


def test_the_doctor_tells_every_plug_in_with_its_version_and_why_it_is_broken(tmp_path):
    folder = tmp_path / "plugins" / "instruments"
    folder.mkdir(parents=True)
    (folder / "broken.py").write_text("import nowhere\n")
    said = call("doctor", "--json")
    assert said.exit_code == 1
    rows = {(row["kind"], row["name"]): row for row in json.loads(said.stdout)["plugins"]}
    assert "ModuleNotFoundError" in rows["instruments", "broken"]["state"]
    assert rows["instruments", "srs.sg380"]["state"] == "ok"
    assert rows["instruments", "srs.sg380"]["version"]
    assert ("finders", "visa") in rows

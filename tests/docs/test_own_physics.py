"""The how-to on a physics of one's own does what it says, in a notebook and from files."""

import re
from pathlib import Path

import numpy as np
import pytest

import qlab
from qlab import registry
from qlab.design import expected_curve, residual

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "own-physics.md"


@pytest.fixture(autouse=True)
def nothing_offered_stays():
    yield
    registry._OFFERED.clear()
    registry.plugins.cache_clear()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def describes(run):
    """Tell whether the curve that the user's own system expects is what was measured."""
    apart = residual(expected_curve(run.record), run.grid())
    apart = apart[np.isfinite(apart)]
    return abs(np.mean(apart**2) - 1) < 5 * np.sqrt(2 / len(apart))


def test_the_notebook_recovers_the_detuning_it_hid(tmp_path):
    scope = {"out": tmp_path}
    exec(blocks("python")[0], scope)
    run = scope["run"]
    fit = run.fit()
    # 500 kHz of programmed fringes, 120 kHz of detuning; coherence lives 2 T1.
    assert abs(fit.values["frequency"] - 620e3) < 3 * fit.errors["frequency"]
    assert abs(fit.values["decay_time"] - 16e-6) < 3 * fit.errors["decay_time"]
    assert run.record.truth == {"detuning": 120e3, "T1": 8e-6}
    again = qlab.Bench.load("sim-molecule", seed=1, truth={"detuning": "0.2 MHz"}, solver="qutip")
    judged = qlab.run("custom.ramsey", again, out=tmp_path, tau=qlab.Linear(0, 5e-6, 26))
    assert judged.record.solver == "qutip"
    assert describes(judged)
    assert abs(judged.fit().values["frequency"] - 700e3) < 3 * judged.fit().errors["frequency"]


def test_the_lab_file_and_its_bench_do_the_same(tmp_path, monkeypatch):
    plugins = tmp_path / "lab"
    (plugins / "worlds").mkdir(parents=True)
    made = blocks("python")[0].split("offer(")[0]
    text = made + "plugin = UserWorld.of(molecule, detuning=120e3, T1=8e-6)\n"
    (plugins / "worlds" / "molecule.py").write_text(text, encoding="utf-8")
    monkeypatch.setenv("QLAB_PLUGINS", str(plugins))
    registry.plugins.cache_clear()
    bench = tmp_path / "molecule.toml"
    bench.write_text(blocks("toml")[0], encoding="utf-8")
    run = qlab.run(
        "custom.sweep", qlab.Bench.load(bench, seed=2), out=tmp_path, value=qlab.Linear(-4e6, 4e6, 81)
    )
    assert describes(run)
    centre = np.average(run["value"], weights=np.maximum(run["clicks"] / run["shots"] - 0.1, 0))
    # The line is where the knob takes the hidden detuning away.
    assert centre == pytest.approx(-120e3, abs=40e3)

"""Benches from presets and files, and what is wrong with them said in one line."""

import pytest

import qlab
from qlab.bench import Bench
from qlab.errors import LimitError, QlabError, UsageError
from qlab.experiment import Experiment
from qlab.registry import load


def test_the_preset_has_its_roles():
    bench = Bench.load("sim-nv", seed=1, truth={"B": "3 mT"})
    assert bench.simulated
    assert bench.world.truth()["B"] == 3e-3
    for name in ("player", "microwave", "laser", "counter", "coil"):
        assert bench.role(name) is not None


GOOD = """
[instruments.mw]
driver = "sim.microwave"
[instruments.mw.limits]
frequency = ["2.7 GHz", "3 GHz"]
[instruments.mw.safe]
power = -30
[world]
kind = "nv"
[world.truth]
B = "1 mT"
[roles]
microwave = "mw"
"""


def test_a_file_gives_limits_safe_values_and_truth(tmp_path):
    path = tmp_path / "setup.toml"
    path.write_text(GOOD)
    bench = Bench.load(path)
    assert bench.name == "setup"
    assert bench.world.truth()["B"] == 1e-3
    microwave = bench.role("microwave")
    with pytest.raises(LimitError, match="limits of the bench"):
        microwave.frequency = 3.5e9
    microwave.frequency, microwave.power = 2.8e9, 0.0
    assert bench.make_safe() == {"mw": "safe"}
    assert microwave.power == -30


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[roles]\nmicrowave = 'nothing'", "names 'nothing', which is no instrument"),
        ("[instruments.a]\ndriver = 'sim.microwav'", "Did you mean 'sim.microwave'"),
        ("[instruments.a]\ndriver = 'sim.microwave'", r"needs a \[world\]"),
        (
            "[instruments.a]\ndriver = 'sim.laser'\n[instruments.a.limits]\nx=[0,1]\n[world]\nkind='nv'",
            "no knob 'x'",
        ),
        ("nonsense", "is not TOML"),
        ("colour = 3", "colour"),
        ("[world]\nkind = 'nv'\n[world.truth]\nB = '2 s'", "not a unit of magnetic field"),
        ("[world]\nkind = 'nv'\n[world.truth]\nC = 2", "no parameter 'C'"),
        (
            "[instruments.a]\ndriver='sim.laser'\n[instruments.a.options]\nq=1\n[world]\nkind='nv'",
            "do not fit",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(tmp_path, text, part):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=part) as caught:
        Bench.load(path)
    assert "\n" not in str(caught.value)


def test_a_missing_role_names_the_role_and_what_to_add(tmp_path):
    path = tmp_path / "setup.toml"
    path.write_text(GOOD)
    with pytest.raises(UsageError, match="needs a PulsePlayer in the role 'player'") as caught:
        load("experiments", "nv.ramsey").read({}).bind(Bench.load(path))
    assert "[roles]" in caught.value.hint


def test_a_role_held_by_the_wrong_kind_of_instrument_says_what_it_lacks(tmp_path):
    path = tmp_path / "setup.toml"
    path.write_text(GOOD.replace('microwave = "mw"', 'microwave = "mw"\nplayer = "mw"'))
    with pytest.raises(UsageError, match="a PulsePlayer needs load, start, stop"):
        load("experiments", "nv.ramsey").read({}).bind(Bench.load(path))


def test_a_real_bench_has_no_truth(tmp_path):
    path = tmp_path / "real.toml"
    path.write_text("name = 'real'")
    with pytest.raises(UsageError, match="no truth to set"):
        Bench.load(path, truth={"B": 1})


def test_one_instrument_that_cannot_be_made_safe_does_not_stop_the_others():
    bench = Bench.load("sim-nv")

    def stuck():
        raise ValueError("stuck")

    bench.instruments["laser"].make_safe = stuck
    bench.instruments["microwave"].on = True
    report = bench.make_safe()
    assert report["laser"].startswith("NOT SAFE: ValueError: stuck")
    assert report["microwave"] == "safe"
    assert not bench.instruments["microwave"].on


def test_no_experiment_asks_whether_its_bench_is_simulated():
    from pathlib import Path

    import qlab_experiments

    for file in Path(qlab_experiments.__file__).parent.rglob("*.py"):
        text = file.read_text()
        assert "qlab_instruments" not in text
        assert "simulated" not in text.replace("on the simulated NV bench", "").replace(
            "on a simulated bench", ""
        )


def test_the_public_names_are_there():
    for name in qlab.__all__:
        assert getattr(qlab, name) is not None
    assert issubclass(qlab.UsageError, QlabError)
    assert Experiment.__doc__


def test_a_bench_file_gives_rates_timeouts_watchdogs_upkeep_and_what_a_sample_allows(tmp_path):
    path = tmp_path / "setup.toml"
    path.write_text(
        GOOD.replace('driver = "sim.microwave"', 'driver = "sim.microwave"\ntimeout = 4')
        + """
[instruments.mw.rates]
power = "20 dBm/s"
[sample]
name = "A7"
[samples.A7.limits.mw]
power = [-30, 0]
[[watch]]
name = "hot"
readout = "mw.power"
condition = "above"
threshold = -1
action = "make_safe"
[[upkeep]]
name = "recentre"
experiment = "nv.pulsed_odmr"
every_seconds = 600
track = {"microwave.frequency" = "frequency"}
"""
    )
    bench = Bench.load(path)
    microwave = bench.instruments["mw"]
    assert (microwave.call_timeout, microwave.largest_rate("power")) == (4, 20)
    with pytest.raises(LimitError, match="limits of the sample"):
        microwave.power = 5
    assert [rule.name for rule in bench.entry.watch] == ["hot"]
    assert bench.entry.upkeep[0].track == {"microwave.frequency": "frequency"}


def test_the_panel_of_a_free_bench_shows_what_was_read_and_asks_nothing_by_itself():
    bench = Bench.load("sim-nv")
    bench.open()
    assert bench.panel()["laser"]["knobs"]["power"]["value"] is None
    bench.refresh()
    shown = bench.panel()["laser"]
    assert (shown["state"], shown["knobs"]["power"]["value"]) == ("open", 0.0)
    assert shown["knobs"]["on"]["choices"] == [False, True]
    bench.close()

"""A real pulse player on a bench whose sample is simulated: the sample sees the edges that left the device."""

import numpy as np
import pytest

import qlab
from qlab.bench import Bench
from qlab.pulses.edges import intervals
from qlab_instruments.dialogues.pulse_streamer import SimulatedStreamer

LINES = {"laser": 0, "mw": 1, "counter": 2}
MIXED = """
[world]
kind = "nv"
[instruments.player]
driver = "swabian.pulse_streamer"
[instruments.player.options]
address = "127.0.0.1"
ports = [{ports[0]}, {ports[1]}]
channels = {{laser = 0, mw = 1, counter = 2}}
[instruments.source]
driver = "sim.microwave"
start = {{power = 0}}
[instruments.laser]
driver = "sim.laser"
[instruments.counter]
driver = "sim.photon_counter"
[roles]
player = "player"
microwave = "source"
laser = "laser"
counter = "counter"
"""


@pytest.fixture
def streamer():
    with SimulatedStreamer() as device:
        yield device


def bench_of(tmp_path, streamer):
    path = tmp_path / "mixed.toml"
    path.write_text(MIXED.format(ports=streamer.ports))
    return Bench.load(path, seed=3)


def test_a_sample_driven_by_a_real_player_has_the_right_result(tmp_path, streamer):
    bench = bench_of(tmp_path, streamer)
    run = qlab.run("nv.rabi", bench, out=tmp_path, duration="0ns:500ns:101", shots=20_000, passes=2)
    fit = run.fit()
    assert fit.success
    for name, expected in run.record.expected.items():
        assert abs(fit.values[name] - expected) < 3 * fit.errors[name], name
    assert "rabi_frequency" in run.record.expected
    assert run.record.simulated
    assert len(streamer.played) == 2 * 101
    assert run.record.safe_report["player"] == "safe"


def test_the_sample_sees_the_edges_that_left_the_device(tmp_path, streamer):
    bench = bench_of(tmp_path, streamer)
    # Steps of 3.3 ns on a grid of 1 ns: two of three edges are moved.
    run = qlab.run("nv.rabi", bench, out=tmp_path, duration="1ns:100ns:31", shots=100, passes=1)
    heard = bench.world.timeline
    for point, (pattern, _) in enumerate(streamer.played):
        assert pattern.durations.sum() == heard.duration[point]
        for channel, line in LINES.items():
            spans = [
                (int(e.start[point]), int(e.stop[point])) for e in heard.channel(channel) if e.duration[point]
            ]
            assert sorted(spans) == intervals(pattern, line)
    played = next(e for e in heard.events if e.channel == "mw").duration
    wanted = np.linspace(1e3, 100e3, 31)
    assert 100 < np.max(np.abs(played - wanted)) <= 500
    told = [entry["message"] for entry in run.record.log]
    assert any("player: 31 points" in line and "edges shifted by up to 0.5 ns" in line for line in told), told

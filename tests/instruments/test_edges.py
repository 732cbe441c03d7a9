"""Programs compiled for hardware: the same edges as the timeline, to the picosecond where the device's grid allows."""

import contextlib

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlab import Linear
from qlab.conformance import conform
from qlab.errors import UsageError
from qlab.pulses import Acquire, Align, Delay, Gate, Play, Program, SetFrequency, compile_program
from qlab.pulses.edges import DigitalDevice, digital, intervals
from qlab.pulses.waveforms import Drive, SampledDevice, sampled
from qlab_instruments.dialogues.device import SimulatedDevice
from qlab_instruments.dialogues.pulse_streamer import SimulatedStreamer
from qlab_instruments.dialogues.server import Served
from qlab_instruments.dialogues.spinapi import Library
from qlab_instruments.file.awg import FileAWG
from qlab_instruments.spincore.pulseblaster import PulseBlaster
from qlab_instruments.swabian.pulse_streamer import PulseStreamer
from qlab_instruments.tektronix.awg5000 import AWG5014

LINES = {"laser": 0, "mw": 1, "counter": 2, "mw@90": 3}
EXACT = DigitalDevice("The device", tick=1, shortest=1, longest=2**62, steps=10**6, lines=8)


def joined(spans):
    """Spans with those that touch made one, sorted."""
    out = []
    for start, stop in sorted(s for s in spans if s[0] < s[1]):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(stop, out[-1][1]))
        else:
            out.append((start, stop))
    return out


def wanted(timeline, point, channel):
    """When a channel is on, straight from the events of the timeline, which is what the simulated player plays."""
    events = [e for e in timeline.events if e.channel == channel]
    return joined([(int(e.start[point]), int(e.stop[point])) for e in events])


def ramsey(points=5, shots=3, tau=(0.1e-6, 1.3e-6)):
    sweep = Linear(*tau, points).symbol("tau")
    body = (
        Gate("laser", 2e-6)
        + Align()
        + Delay(0.4e-6)
        + Play("mw", 50e-9, 5e6)
        + Delay(sweep)
        + Play("mw", 50e-9, 5e6, np.pi / 2)
        + Align()
        + Gate("laser", 1e-6)
        + Acquire("counter", 0.3e-6, "counts")
    )
    return compile_program(Program(body, shots=shots))


operations = st.lists(
    st.one_of(
        st.builds(Gate, st.just("laser"), st.integers(1, 3000).map(lambda t: t * 1e-9)),
        st.builds(Play, st.just("mw"), st.integers(1, 900).map(lambda t: t * 1e-9), st.just(1e6)),
        st.builds(
            Acquire, st.just("counter"), st.integers(1, 500).map(lambda t: t * 1e-9), st.just("counts")
        ),
        st.builds(Delay, st.integers(0, 800).map(lambda t: t * 1e-9)),
        st.builds(Align),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=60)
@given(operations)
def test_any_program_has_the_edges_of_its_timeline(steps):
    body = sum(steps[1:], start=steps[0] + Align())
    timeline = compile_program(Program(body + Gate("laser", 1e-9), shots=2))
    played = digital(timeline, LINES, EXACT)
    for channel in ("laser", "mw", "counter"):
        assert intervals(played.patterns[0], LINES[channel]) == wanted(timeline, 0, channel)
    assert played.shifted == 0


def test_the_streamer_gets_the_edges_of_the_simulated_player():
    timeline = ramsey()
    with SimulatedStreamer() as device:
        player = PulseStreamer("127.0.0.1", channels=LINES, ports=device.ports)
        player.open()
        player.load(timeline)
        player.start()
        player._thread.join(5)
        assert player.fault() is None
        player.stop()
        player.close()
    assert [runs for _, runs in device.played] == [3] * 5
    for point, (pattern, _) in enumerate(device.played):
        for channel in ("laser", "counter"):
            assert intervals(pattern, LINES[channel]) == wanted(timeline, point, channel)
        first, second = wanted(timeline, point, "mw")
        assert intervals(pattern, LINES["mw"]) == [first]
        assert intervals(pattern, LINES["mw@90"]) == [second]
        assert int(pattern.durations.sum()) % 8000 == 0


def test_the_pulseblaster_gets_them_too_shot_by_shot():
    timeline, library = ramsey(), Library()
    player = PulseBlaster(channels=LINES, library=library)
    player.open()
    player.load(timeline)
    player.start()
    seen, at = library.run(), 0
    ends = np.concatenate([[0], np.cumsum([length for length, _ in seen])])
    for point in range(5):
        for _ in range(3):
            for channel in ("laser", "counter"):
                on = [(at + a, at + b) for a, b in wanted(timeline, point, channel)]
                spans = [
                    (int(ends[i]), int(ends[i + 1]))
                    for i, (_, s) in enumerate(seen)
                    if s >> LINES[channel] & 1
                ]
                # The light of one shot runs on into the next: looked at within this one.
                stop = at + int(timeline.duration[point])
                assert joined([(max(a, at), min(b, stop)) for a, b in spans if b > at and a < stop]) == on
            at += int(timeline.duration[point])
    assert int(ends[-1]) == at + player.device.shortest  # every line low before the end
    assert seen[-1] == (player.device.shortest, 0)
    player.close()


def test_a_stopped_pulseblaster_has_its_lines_low_and_plays_again():
    library = Library()
    player = PulseBlaster(channels=LINES, library=library)
    player.open()
    player.load(ramsey())
    player.start()
    before = library.run()
    player.start()  # halted in the midst of its first pulse, the laser
    assert library.lines == 1 << LINES["laser"]
    player.make_safe()
    assert (library.lines, library.running) == (0, False)
    player.start()
    assert library.run() == before


def test_the_upper_bits_of_a_24_line_board_are_lines():
    wide = PulseBlaster(channels={**LINES, "laser": 23}, clock=100e6, library=Library())
    assert wide.device.lines == 24
    narrow = PulseBlaster(channels={**LINES, "laser": 23}, library=Library())
    narrow.open()
    with pytest.raises(UsageError, match="line"):
        narrow.load(ramsey())


def test_rounding_is_to_the_grid_and_told():
    timeline = compile_program(Program(Gate("laser", 10.3e-9) + Delay(3e-9) + Gate("laser", 20e-9), shots=1))
    device = DigitalDevice(
        "The device", tick=2000, shortest=2000, longest=2**40, steps=99, lines=8, granularity=8
    )
    played = digital(timeline, LINES, device)
    assert intervals(played.patterns[0], 0) == [(0, 10000), (14000, 34000)]
    assert played.shifted == 700
    assert int(played.patterns[0].durations.sum()) % 16000 == 0
    assert "shifted by up to 0.7 ns" in played.report()


@pytest.mark.parametrize(
    ("body", "device", "part"),
    [
        (Gate("laser", 0.3e-9), {"tick": 1000}, "would vanish"),
        (Gate("laser", 1e-6) + Delay(2e-9) + Gate("laser", 1e-6), {"shortest": 10_000}, "2 ns apart"),
        (Gate("laser", 1e-6) + Delay(1.0), {"longest": 10**9}, "can hold 0.001 s"),
        (Play("mw", 1e-6, 1e6) + Play("mw", 1e-6, 2e6), {}, "switches mw at"),
        (Play("mw", 1e-6, 1e6, 0.3), {}, "with the phase"),
        (SetFrequency("mw", 1e6) + Play("mw", 1e-6, 1e6), {}, "cannot shift its frequency"),
        (Gate("shutter", 1e-6), {}, "no line for 'shutter'"),
        (Gate("laser", 1e-6) + Delay(1e-6) + Gate("laser", 1e-6), {"steps": 2}, "holds 2"),
    ],
)
def test_what_a_device_cannot_play_is_refused_before_upload(body, device, part):
    options = {"tick": 1000, "shortest": 1000, "longest": 2**60, "steps": 99, "lines": 8, **device}
    with pytest.raises(UsageError, match=part):
        digital(
            compile_program(Program(body + Align(), shots=1)), LINES, DigitalDevice("The device", **options)
        )


AWG = SampledDevice(
    "The AWG", 1e9, granularity=4, shortest=64, memory=10_000, rows=50, volts=1.0, outputs=2, markers=2
)
DRIVES = {"mw": Drive(1, 2, volts_per_hertz=1e-7, carrier=20e6)}
MARKERS = {"laser": 1, "counter": 2}


def test_samples_are_the_rotating_frame_of_the_timeline():
    body = (
        SetFrequency("mw", 3e6)
        + Delay(100e-9)
        + Play("mw", 200e-9, 4e6, 0.7)
        + Align()
        + Gate("laser", 50e-9)
    )
    made = sampled(compile_program(Program(body, shots=7)), DRIVES, MARKERS, AWG)
    wave, t = made.waveforms[0], np.arange(made.waveforms[0].shape[1]) / 1e9
    on = (t >= 100e-9) & (t < 300e-9)
    # Written anew: one phasor at carrier plus offset, its phase that of the frame at time zero.
    phasor = 0.4 * np.exp(1j * (2 * np.pi * 23e6 * t + 0.7)) * on
    assert np.allclose(wave[0], phasor.real, atol=1e-9)
    assert np.allclose(wave[1], phasor.imag, atol=1e-9)
    assert np.flatnonzero(made.markers[0] & 1).tolist() == list(range(300, 350))
    assert made.table == ((0, 7),)
    assert wave.shape[1] % 4 == 0


def test_equal_points_share_a_waveform():
    body = Play("mw", 100e-9, 1e6) + Delay(Linear(0, 9e-9, 10).symbol("d"))
    timeline = compile_program(Program(body, shots=2))
    made = sampled(timeline, DRIVES, MARKERS, AWG)
    # 100 to 109 ns become 100, 104, 108 and 112 samples.
    assert len(made.waveforms) == 4
    assert [row for row, _ in made.table] == [0, 1, 1, 1, 1, 2, 2, 2, 2, 3]
    assert made.padded == pytest.approx(3e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (Play("mw", 1e-6, 20e6), "2 V would be needed"),
        (Play("mw", 1.0, 1e6), "holds 10000"),
        (Play("mw", 0.2e-9, 1e6), "would vanish"),
        (Gate("shutter", 1e-6), "no marker for 'shutter'"),
        (Play("rf", 1e-6, 1e6), "no drive for 'rf'"),
        (Delay(Linear(0, 0.1e-6, 60).symbol("d")) + Gate("laser", 50e-9), "60 points"),
        (Delay(Linear(0, 2e-6, 20).symbol("d")) + Gate("laser", 50e-9), "samples, and The AWG holds"),
    ],
)
def test_what_an_awg_cannot_play_is_refused_before_upload(body, part):
    with pytest.raises(UsageError, match=part):
        sampled(compile_program(Program(body + Align(), shots=1)), DRIVES, MARKERS, AWG)


def test_the_file_awg_shows_what_would_be_played(tmp_path):
    awg = FileAWG(str(tmp_path), drives={"mw": {"i": 1, "q": 2}}, markers={"laser": 1, "counter": 2})
    awg.open()
    awg.load(ramsey())
    awg.start()
    with h5py.File(tmp_path / "played-0001.h5") as file:
        assert file["table"][:].tolist() == [[i, 3] for i in range(5)]
        wave = file["waveform_0/outputs"][:]
        assert wave.shape[1] % 4 == 0
        # The second pulse is 90 degrees on: it comes from the other output.
        assert np.flatnonzero(np.abs(wave[0]) > 1e-12).tolist() == list(range(2400, 2450))
        assert np.flatnonzero(np.abs(wave[1]) > 1e-12).tolist() == list(range(2550, 2600))
        assert "5 points" in file.attrs["report"]


def test_the_awg_sends_fourteen_bits_and_its_markers():
    with AWG5014.rehearsal() as options, Served(SimulatedDevice.read("tektronix.awg5014")) as served:
        awg = AWG5014(**{**options, "address": served.address})
        awg.open()
        awg.load(ramsey(points=1))
        awg.close()
        blocks = [m for m in served.device.heard if "WAV:DATA" in m and '"qlab_0_1"' in m]
    head, _, rest = blocks[0].partition("#")
    digits = int(rest[0])
    data = np.frombuffer(rest[1 + digits :].encode("latin-1"), "<u2")
    assert len(data) == int(head.split(",")[2])
    volts = ((data & 0x3FFF).astype(float) - 8191) / 8191
    assert volts[2420] == pytest.approx(0.5, abs=2e-4)  # 5 MHz at 1e-7 V/Hz of 1 V
    # Light: 2 µs, then, after 0.4 µs, a pulse, 0.1 µs and a pulse, the readout of 1 µs with a window of 0.3 µs.
    assert np.flatnonzero(data & 0x4000).tolist() == [*range(2000), *range(2600, 3600)]
    assert np.flatnonzero(data & 0x8000).tolist() == list(range(2600, 2900))


class Careless(FileAWG):
    """Takes whatever it is given, and says nothing of what it rounds."""

    def load(self, timeline):
        with contextlib.suppress(UsageError):
            super().load(timeline)

    def report(self):
        return "loaded"


def test_a_player_that_takes_what_it_cannot_play_does_not_conform(tmp_path):
    wiring = {"drives": {"mw": {"i": 1, "q": 2}}, "markers": {"laser": 1, "counter": 2}}
    for kind, good in ((FileAWG, True), (Careless, False)):
        seen = {c.name: c for c in conform(kind(str(tmp_path), **wiring), ("player",))}
        assert seen["player: does its work"].ok
        assert seen["player: refuses what it cannot play"].ok is good
        assert seen["player: tells what it rounds"].ok is good
    assert "took a gate of 1 ps" in seen["player: refuses what it cannot play"].seen

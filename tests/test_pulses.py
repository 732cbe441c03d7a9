"""Sequences and programs: what is written is what is played, in integer picoseconds."""

import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlab.errors import UsageError
from qlab.pulses import (
    Acquire,
    Align,
    Delay,
    Gate,
    Play,
    Program,
    Repeat,
    Sequence,
    SetFrequency,
    ShiftPhase,
    compile_program,
)
from qlab.scan import Linear, Values


def compiled(sequence, **options):
    return compile_program(Program(Sequence() + sequence, **options))


def test_channels_run_side_by_side_until_they_are_aligned():
    timeline = compiled(
        Gate("laser", 3e-6)
        + Acquire("counter", 1e-6, "a")
        + Align()
        + Play("mw", 25e-9, 1e7)
        + Gate("laser", 1e-6)
    )
    starts = {(e.channel, int(e.start[0])) for e in timeline.events}
    assert starts == {("laser", 0), ("counter", 0), ("mw", 3_000_000), ("laser", 3_000_000)}
    assert timeline.duration.tolist() == [4_000_000]


def test_a_delay_on_one_channel_moves_only_that_one():
    timeline = compiled(Gate("laser", 2e-6) + Delay(1e-6, ("counter",)) + Acquire("counter", 1e-6, "late"))
    assert [int(e.start[0]) for e in timeline.events] == [0, 1_000_000]


def test_swept_durations_and_phases_are_affine_in_the_symbol():
    tau = Linear(0, 4e-6, 5).symbol("tau")
    timeline = compiled(
        Play("mw", 1e-6, 1e6) + Delay(tau / 2) + Play("mw", tau * 2 + 1e-6, 1e6, 3.0 * tau - 1.0)
    )
    second = timeline.channel("mw")[1]
    assert second.start.tolist() == [1_000_000, 1_500_000, 2_000_000, 2_500_000, 3_000_000]
    assert second.duration.tolist() == [1_000_000, 3_000_000, 5_000_000, 7_000_000, 9_000_000]
    assert np.allclose(second.phase, 3.0 * np.linspace(0, 4e-6, 5) - 1.0)


def test_two_sweeps_make_a_grid_with_the_last_one_fastest():
    a, b = Values((1e-6, 2e-6)).symbol("a"), Values((1.0, 2.0, 3.0)).symbol("b")
    timeline = compiled(Delay(a) + Play("mw", 1e-6, b))
    assert timeline.points["a"].tolist() == [1e-6] * 3 + [2e-6] * 3
    assert timeline.points["b"].tolist() == [1.0, 2.0, 3.0] * 2


def test_frames_shift_phase_and_keep_it_continuous_at_an_offset():
    timeline = compiled(
        Play("mw", 1e-6, 1e6)
        + ShiftPhase("mw", 0.5)
        + SetFrequency("mw", 1e6)
        + Delay(0.25e-6)
        + Play("mw", 1e-6, 1e6)
    )
    second = timeline.channel("mw")[1]
    assert second.frequency[0] == 1e6
    assert second.phase[0] == pytest.approx(0.5 + 2 * np.pi * 1e6 * 1.25e-6)


def test_repeat_plays_its_body_again():
    timeline = compiled(Repeat(3, (Play("mw", 1e-9, 1e6), Delay(1e-9))))
    assert [int(e.start[0]) for e in timeline.events] == [0, 2000, 4000]
    assert timeline.duration[0] == 6000


def test_rounding_to_picoseconds_is_told():
    assert compiled(Delay(1.0000003e-9)).rounding == pytest.approx(3e-16, rel=1e-3)
    assert compiled(Delay(1e-9)).rounding < 1e-24


@pytest.mark.parametrize(
    ("sequence", "part"),
    [
        (Delay(-1e-9), "cannot be negative"),
        (Delay(Linear(1e-6, 0, 3).symbol("t") - 0.5e-6), "point 2 of the sweep"),
        (Delay(1e9), "Shorten"),
        (Delay(float("nan")), "not finite"),
    ],
)
def test_impossible_durations_are_refused(sequence, part):
    with pytest.raises(UsageError, match=part):
        compiled(sequence)


def test_a_program_without_shots_is_refused():
    with pytest.raises(UsageError, match="at least 1 shot"):
        Program(Sequence() + Delay(1e-6), shots=0)


def test_only_operations_can_be_joined():
    with pytest.raises(TypeError):
        Delay(1e-6) + 3


times = st.floats(0, 1e-3)
operations = st.one_of(
    st.builds(Play, st.sampled_from(["mw", "rf"]), times, st.floats(0, 1e7), st.floats(-7, 7)),
    st.builds(Gate, st.just("laser"), times),
    st.builds(Delay, times),
    st.builds(Align),
    st.builds(ShiftPhase, st.just("mw"), st.floats(-7, 7)),
    st.builds(Acquire, st.just("counter"), times, st.just("counts")),
)


@given(st.lists(operations, min_size=1, max_size=8), st.integers(1, 20))
def test_a_program_survives_json(parts, points):
    tau = Linear(0, 1e-6, points).symbol("tau")
    body = Sequence(tuple(parts)) + Delay(tau + 1e-9) + Repeat(2, tuple(parts[:2]))
    program = Program(body, shots=3, setpoints={"microwave.frequency": 2.87e9 + tau * 1e6})
    back = Program.from_dict(json.loads(json.dumps(program.to_dict())))
    assert {n: s.unit for n, s in back.sweeps.items()} == {n: s.unit for n, s in program.sweeps.items()}
    first, second = compile_program(program), compile_program(back)
    assert back.to_dict() == program.to_dict()
    assert len(first.events) == len(second.events)
    for one, other in zip(first.events, second.events, strict=True):
        assert np.array_equal(one.start, other.start)
        assert np.array_equal(one.duration, other.duration)
    assert np.array_equal(first.setpoints["microwave.frequency"], second.setpoints["microwave.frequency"])


@given(st.lists(operations, max_size=10))
def test_events_on_one_channel_never_overlap(parts):
    timeline = compile_program(Program(Sequence(tuple(parts))))
    for channel in {e.channel for e in timeline.events}:
        events = timeline.channel(channel)
        for earlier, later in itertools.pairwise(events):
            assert np.all(later.start >= earlier.stop)
        assert all(np.all(e.stop <= timeline.duration) for e in events)

"""Scans as values: typed, stored, shuffled, refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlab.errors import UsageError
from qlab.parameters import Parameters
from qlab.scan import Centre, Linear, Log, Scan, Values, parse_scan, scan_text, scan_words
from qlab.units import Hertz, Seconds


class Swept(Parameters):
    tau: Scan[Seconds] = Linear(0, 4e-6, 201)
    frequency: Scan[Hertz] = Centre(2.87e9, 10e6, 11)


@pytest.mark.parametrize(
    ("text", "scan"),
    [
        ("0us:4us:201", Linear(0, 4e-6, 201)),
        ("0:4us:3", Linear(0, 4e-6, 3)),
        ("log:1us:1ms:4", Log(1e-6, 1e-3, 4)),
        ("centre:5us:2us:3", Centre(5e-6, 2e-6, 3)),
        ("1us,2us, 5us", Values((1e-6, 2e-6, 5e-6))),
        ("3us", Values((3e-6,))),
        ("0:4us:9@random=7", Linear(0, 4e-6, 9, order="random", seed=7)),
    ],
)
def test_scans_people_type(text, scan):
    read = Swept.read({"tau": text}).tau
    assert np.allclose(read.values(), scan.values(), rtol=1e-14)
    assert (read.order, read.seed, read.unit) == (scan.order, scan.seed, "s")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("0us:4us:0", "at least 1 point"),
        ("0us:4us:-3", "at least 1 point"),
        ("0us:4us:99999999", "at most"),
        ("-1us:4us:5", "greater than or equal to 0"),
        ("0:4MHz:5", "not a unit of time"),
        ("log:0:1ms:5", "above 0"),
        ("0us:4us", "not a scan"),
        ("0us:4us:many", "not a number of points"),
        ("", "at least 1 point"),
        ("0:inf:3", "not a number|not finite|not a unit"),
    ],
)
def test_impossible_scans_are_refused_with_the_reason(text, part):
    with pytest.raises(UsageError, match=part):
        Swept.read({"tau": text})


def test_a_shuffled_scan_takes_each_point_once_and_the_same_way_for_a_seed():
    scan = Linear(0, 1, 100).shuffled(seed=3)
    order = scan.played()
    assert sorted(order) == list(range(100))
    assert not np.array_equal(order, np.arange(100))
    assert np.array_equal(order, Linear(0, 1, 100).shuffled(seed=3).played())
    assert not np.array_equal(order, Linear(0, 1, 100).shuffled(seed=4).played())


finite = st.floats(1e-9, 1e3)


@given(
    st.one_of(
        st.builds(Linear, finite, finite, st.integers(1, 50)),
        st.builds(Log, finite, finite, st.integers(1, 50)),
        st.builds(Values, st.lists(finite, min_size=1, max_size=5).map(tuple)),
    ),
    st.sampled_from(["sequential", "random"]),
)
def test_a_scan_survives_text_and_json(scan, order):
    if order == "random":
        scan = scan.shuffled(5)
    made = Swept.read({"tau": scan})
    for back in (Swept.read(made.to_dict()), Swept.read({"tau": scan_text(made.tau)})):
        assert np.array_equal(back.tau.values(), made.tau.values())
        assert back.tau.order == made.tau.order


def test_parse_scan_reads_what_scan_text_writes_in_a_plain_unit():
    assert parse_scan(scan_text(Linear(1, 2, 3)), "1").values().tolist() == [1.0, 1.5, 2.0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0us:4us:201", "0 s to 4 µs, 201 points"),
        ("log:1us:1ms:4", "1 µs to 1 ms, 4 logarithmic points"),
        ("centre:5us:2us:3@random=1", "2 µs around 5 µs, 3 points, random order"),
        ("1us,2us", "1 µs, 2 µs"),
    ],
)
def test_scans_are_shown_in_words(text, words):
    assert scan_words(Swept.read({"tau": text}).tau) == words

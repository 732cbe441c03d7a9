"""Quantities typed by people and shown to people."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlab.errors import UsageError
from qlab.units import format_measured, format_quantity, parse_measured, parse_quantity


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("4us", "s", 4e-6),
        ("4 µs", "s", 4e-6),
        ("2.87 GHz", "Hz", 2.87e9),
        ("-1e3", "Hz", -1000.0),
        ("20 G", "T", 2e-3),
        ("2 min", "s", 120.0),
        ("90 deg", "rad", math.pi / 2),
        ("2.8GHz", "*", 2.8e9),
        ("5", "*", 5.0),
        (".5 mW", "W", 0.5e-3),
    ],
)
def test_quantities_people_type(text, unit, value):
    assert parse_quantity(text, unit) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "unit", "part"),
    [
        ("4 MHz", "s", "is not a unit of time"),
        ("4 us", "Hz", "is not a unit of frequency"),
        ("4 furlongz", "s", "not a unit that qlab knows"),
        ("fast", "s", "not a number"),
        ("", "s", "not a number"),
        ("1 2", "s", "cannot be read|not a unit"),
    ],
)
def test_bad_quantities_say_why_and_what_to_type(text, unit, part):
    with pytest.raises(UsageError, match=part) as caught:
        parse_quantity(text, unit)
    assert "for example" in caught.value.hint


@pytest.mark.parametrize(
    ("value", "error", "unit", "text"),
    [
        (3.0234e-6, 5e-8, "s", "3.02(5) µs"),
        (500.2e3, 400.0, "Hz", "500.2(4) kHz"),
        (0.981, 0.006, "1", "0.981(6)"),
        (1234.0, 130.0, "1", "1230(130)"),
        (2.87e9, 1.2e3, "Hz", "2.8700000(12) GHz"),
        (0.0, 1e-9, "T", "0.0(10) nT"),
        (7917.0, 16.0, "1/s", "7917(16) 1/s"),
        (2.8e9, 1e6, "*", "2800000000(1000000)"),
        (1.5e-9, None, "T", "1.5 nT"),
        (float("nan"), 1.0, "T", "nan"),
    ],
)
def test_measured_values_show_no_more_digits_than_their_error(value, error, unit, text):
    assert format_measured(value, error, unit).startswith(text)


@given(st.floats(1e-14, 1e14), st.sampled_from(["s", "Hz", "T", "V"]))
def test_a_quantity_that_is_shown_can_be_typed_again(value, unit):
    assert parse_quantity(format_quantity(value, unit, digits=17), unit) == pytest.approx(value, rel=1e-12)


@given(st.floats(-1e9, 1e9), st.floats(1e-12, 1e9))
def test_the_shown_value_is_within_its_shown_error(value, error):
    text = format_measured(value, error)
    shown, _, rest = text.partition("(")
    digits, _, power = rest.partition(")")
    step = 10.0 ** -len(shown.partition(".")[2]) * float(f"1{power}")
    assert abs(float(f"{shown}{power}") - value) <= int(digits) * step * (1 + 1e-9)
    assert int(digits) * step == pytest.approx(error, rel=0.51)


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("50.1(2) ns", (50.1e-9, 2e-10, "s")),
        ("2.0(11)e-3 V", (2e-3, 1.1e-3, "V")),
        ("120(30) kHz", (120e3, 30e3, "Hz")),
        ("-3(1) dBm", (-3.0, 1.0, "dBm")),
        ("5 MHz/mW", (5.0, None, "MHz/mW")),
        ("12 mG", (12e-7, None, "T")),
        ("7", (7.0, None, "1")),
    ],
)
def test_a_quantity_with_its_error_is_read_as_it_is_shown(text, quantity):
    value, error, unit = parse_measured(text)
    assert (value, unit) == (pytest.approx(quantity[0], rel=1e-14), quantity[2])
    assert error == (None if quantity[1] is None else pytest.approx(quantity[1], rel=1e-14))


@pytest.mark.parametrize("text", ["", "ns", "2 apples(3)", "1e999 s", "1(2", "nan"])
def test_what_is_no_quantity_with_an_error_is_refused(text):
    with pytest.raises(UsageError):
        parse_measured(text)


def test_a_plain_number_far_from_one_takes_a_power_of_ten():
    assert format_measured(7.76e-17, 7e-19, "1") == "7.76(7)e-17"
    assert format_measured(1.004e-16, 3.2e-18, "1/√Hz") == "1.00(3)e-16 1/√Hz"
    assert format_measured(0.9664, 0.001, "1") == "0.9664(10)"

"""What an NV protocol refuses at check time: windows that do not fit the laser, drives beyond the rotating wave."""

import pytest

from qlab.errors import UsageError
from qlab.registry import load


def checked(**parameters):
    load("experiments", "nv.ramsey").read(parameters).preflight()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"signal_window": "5 us"}, "signal window of 5 µs is longer than the laser pulse of 3 µs"),
        ({"reference_window": "4 us"}, "reference window"),
        ({"signal_window": "2 us", "reference_window": "1.5 us"}, "together"),
        ({"rabi_frequency": "5 GHz"}, "within a few periods"),
    ],
)
def test_what_would_measure_something_else_is_refused(wrong, said):
    with pytest.raises(UsageError, match=said):
        checked(**wrong)


def test_what_fits_exactly_is_played():
    checked(signal_window="1.5 us", reference_window="1.5 us", rabi_frequency="100 MHz")

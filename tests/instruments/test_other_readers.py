"""Other people's drivers speak to our simulated devices: two who read the same manual agree on it."""

import pytest

from qlab_instruments.dialogues.device import SimulatedDevice
from qlab_instruments.dialogues.server import Served
from qlab_instruments.foreign.instrument import quietly
from qlab_instruments.foreign.qcodes import QCoDeS
from qlab_instruments.keithley.sourcemeters import Keithley2400
from qlab_instruments.keysight.awg33600 import Generator33600A
from qlab_instruments.srs.lockins import SR830, SR860
from qlab_instruments.srs.sg380 import SG380

# Our driver, whose it is compared with, and for each knob: its name there, a value.
PAIRS = [
    (
        SG380,
        "qcodes:stanford_research.SG384",
        {"frequency": ("frequency", 2.87e9), "power": ("amplitude_RF", -12.0)},
    ),
    (SR830, "pymeasure:srs.SR830", {"frequency": ("frequency", 1234.5), "amplitude": ("sine_voltage", 0.2)}),
    (SR860, "pymeasure:srs.SR860", {"frequency": ("frequency", 4321.0), "amplitude": ("sine_voltage", 0.3)}),
    (
        Generator33600A,
        "pymeasure:agilent.Agilent33500",
        {"frequency": ("frequency", 2e6), "amplitude": ("amplitude", 2.0), "voltage": ("offset", 0.5)},
    ),
    (Keithley2400, "pymeasure:keithley.Keithley2400", {"voltage": ("source_voltage", 1.5)}),
]


@pytest.mark.parametrize(("kind", "other", "shared"), PAIRS, ids=[f"{p[0].__name__}-{p[1]}" for p in PAIRS])
def test_both_mean_the_same(kind, other, shared):
    library, _, target = other.partition(":")
    pytest.importorskip(library)
    with Served(SimulatedDevice.read(kind.dialogue)) as served:
        ours = kind(served.address)
        ours.open()
        theirs = quietly(lambda: _driver(library, target, served.address))
        for name, (there, value) in shared.items():
            setattr(ours, name, value)
            assert float(_get(theirs, there)) == pytest.approx(value)
            _put(theirs, there, value / 2)
            _get(theirs, there)  # their writes return before the device has acted
            assert getattr(ours, name) == pytest.approx(value / 2)
        assert served.device.errors == []
        ours.close()
        quietly(lambda: theirs.close() if library == "qcodes" else theirs.adapter.close())


def _driver(library, target, address):
    from qlab_instruments.foreign.instrument import class_at

    if library == "qcodes":
        return class_at(target, "qcodes.instrument_drivers", "qcodes")(
            f"theirs_{id(address)}", address, visalib="@py", terminator="\n"
        )
    return class_at(target, "pymeasure.instruments", "pymeasure")(
        address, visa_library="@py", read_termination="\n", write_termination="\n"
    )


def _get(driver, name):
    found = getattr(driver, name)
    return found.get() if hasattr(found, "get") else found


def _put(driver, name, value):
    found = getattr(type(driver), name, None)
    if isinstance(found, property):
        setattr(driver, name, value)
    else:
        getattr(driver, name).set(value)


def test_a_qcodes_driver_is_ours_with_its_units_limits_and_choices(tmp_path):
    pytest.importorskip("qcodes")
    with Served(SimulatedDevice.read("srs.sg380")) as served:
        source = QCoDeS("stanford_research.SG384", address=served.address, visalib="@py", timeout=2.0)
        knobs = source.knobs()
        assert knobs["frequency"].unit == "Hz"
        assert knobs["frequency"].limits == (9.5e5, 4.05e9)
        assert knobs["on"].kind is bool
        assert knobs["on"].safe is False
        assert "enable_RF" not in knobs
        source.open()
        source.frequency = 2.87e9
        source.on = True
        assert served.device.states["frequency"].value == 2.87e9
        assert served.device.states["on"].value == 1
        source.make_safe()
        assert served.device.states["on"].value == 0
        source.close()

"""Every driver of ours passes the conformance suite against the simulated dialogue of its family."""

import pytest

from qlab.conformance import conform
from qlab.registry import load, plugins
from qlab_instruments.dialogues.device import SimulatedDevice
from qlab_instruments.dialogues.server import Served
from qlab_instruments.keysight.b2900 import B2900
from qlab_instruments.red_pitaya.stemlab import STEMlab

FAMILIES = sorted(
    n
    for n in plugins("instruments")
    if n.partition(".")[0] not in {"sim", "scpi", "qcodes", "pymeasure", "tango", "epics"}
)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_conforms(name):
    driver = load("instruments", name)
    with driver.rehearsal() as options:
        checks = list(conform(driver(**options), move=True))
    assert [c for c in checks if not c.ok] == []
    assert {"says who it is", "is made safe", "opens again as the same"} <= {c.name for c in checks}


def test_there_are_enough_of_them():
    assert len(FAMILIES) >= 15


def test_a_source_measure_unit_that_is_off_stays_off_when_it_is_read():
    device = SimulatedDevice.read("keysight.b2900")

    def switching_on(part):
        if part.startswith(":MEAS") and device.states["auto"].value:
            device.states["on"].value = 1

    device.say_first = switching_on
    with Served(device) as served:
        unit = B2900(served.address)
        unit.open()
        unit.voltage = 0.5
        assert unit.on is False
        assert unit.current is not None
        assert unit.on is False
        unit.close()


def test_a_generator_that_waits_for_a_trigger_gets_one():
    device = SimulatedDevice.read("red_pitaya.stemlab")
    with Served(device, "\r\n") as served:
        unit = STEMlab(served.address)
        unit.open()
        unit.on = True
        assert unit.on is True  # asked after it was told, so that it has heard both
        started = [message for message in device.heard if "TRIG" in message or "STATE " in message]
        assert started[-2:] == ["OUTPUT1:STATE ON", "SOUR1:TRIG:INT"]
        unit.close()

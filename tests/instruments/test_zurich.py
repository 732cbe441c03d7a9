"""The MFLI by its maker's manual and packages: options, mixer channel, ranges, and the package's own refusals."""

import pytest

from qlab.errors import InstrumentError, LimitError
from qlab_instruments.dialogues.zhinst import Package, Server
from qlab_instruments.zurich.mfli import MFLI


@pytest.mark.parametrize("options", ["", "F5M", "MD", "F5M MD"])
def test_the_mixer_channel_and_the_limits_are_those_of_the_options(options):
    maker = pytest.importorskip("zhinst.utils.utils")
    package = Package(options)
    device = MFLI("dev4321", library=package)
    device.open()
    mixer = maker.default_output_mixer_channel({"devicetype": "MFLI", "options": options.split()})
    device.amplitude = 0.3
    nodes = package.server.nodes
    assert nodes[f"/dev4321/sigouts/0/amplitudes/{mixer}"] == 0.3
    assert nodes[f"/dev4321/sigouts/0/enables/{mixer}"] == 1
    assert device.x == 1.2e-5  # the demodulator was switched on
    device.frequency = 499e3
    if "F5M" in options:
        device.frequency = 4.9e6
    else:
        with pytest.raises(LimitError, match="500 kHz"):
            device.frequency = 501e3
    device.close()


def test_an_amplitude_beyond_the_range_is_told_instead_of_clamped():
    device = MFLI("dev4321", library=Package())
    device.open()
    device.range = 0.1
    with pytest.raises(InstrumentError, match="was set to 300 mV and reads 100 mV"):
        device.amplitude = 0.3
    with pytest.raises(LimitError):
        device.range = 0.2
    device.close()


def test_another_device_is_refused():
    package = Package()
    package.server.nodes["/dev4321/features/devtype"] = "HF2LI"
    with pytest.raises(InstrumentError, match="is no MFLI: it says 'HF2LI'"):
        MFLI("dev4321", library=package).open()


def test_the_package_of_the_maker_is_called_as_it_is():
    core = pytest.importorskip("zhinst.core")
    ours = {name for name in vars(Server) if not name.startswith("_")}
    assert ours <= set(dir(core.ziDAQServer))
    with pytest.raises(InstrumentError, match="Connection refused"):
        MFLI("dev4321", host="127.0.0.1", port=1).open()

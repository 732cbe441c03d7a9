"""What is wrong is said before or at the first command, in one line with what to do, and the bench is made safe."""

import pytest

import qlab
from qlab.bench import Bench
from qlab.errors import InstrumentError, LimitError, QlabError, UsageError
from tests.instruments.lab import Lab

SHORT = {"frequency": qlab.Centre(2.814e9, 12e6, 3), "passes": 1, "shots": 30}


@pytest.fixture
def lab():
    with Lab() as made:
        yield made


def bench_of(lab, tmp_path, **changes):
    text = lab.bench
    for before, after in changes.values():
        assert before in text
        text = text.replace(before, after)
    path = tmp_path / "lab.toml"
    path.write_text(text)
    return Bench.load(path)


def run(bench, tmp_path):
    return qlab.run("nv.cw_odmr", bench, out=tmp_path, **SHORT)


def safe(lab):
    """Whether the laboratory is dark and quiet."""
    return lab.laser.states["on"].value == 0 and lab.source.states["on"].value == 0


def test_a_wrong_identity(lab, tmp_path):
    lab.source.fixed["*IDN?"] = "Rohde&Schwarz,SMB100A,1406.6000k03/178325,3.1"
    lab.laser.states["on"].value = 1  # somebody left it on
    with pytest.raises(InstrumentError, match="is not a SRS SG380: it says 'Rohde&Schwarz SMB100A") as caught:
        run(bench_of(lab, tmp_path), tmp_path)
    assert "driver in the bench file" in caught.value.hint
    assert not [m for m in lab.source.heard if not m.startswith("*IDN?")]  # not a word to the stranger
    assert lab.laser.states["on"].value == 0


def test_a_wrong_serial_number(lab, tmp_path):
    bench = bench_of(lab, tmp_path, serial=("threshold = 0.03", 'serial = "M00999999", threshold = 0.03'))
    with pytest.raises(InstrumentError, match="serial number 'M00277475' instead of 'M00999999'"):
        run(bench, tmp_path)
    assert safe(lab)


def test_a_wrong_unit_in_the_bench_file(lab, tmp_path):
    with pytest.raises(UsageError, match=r"'V' is not a unit of"):
        bench_of(lab, tmp_path, unit=("start = {power = -13.98}", 'start = {frequency = "2 V"}'))


def test_a_device_set_to_another_unit(tmp_path):
    from qlab_instruments.rohde_schwarz.smb import SMB100A

    with SMB100A.rehearsal() as options:
        source = SMB100A(**options)
        source.open()
        source.query("UNIT:POW V;*OPC?")
        source.close()
        with pytest.raises(InstrumentError, match=r"answers 'V' to UNIT:POW.*needs .*DBM"):
            source.open()


def test_an_address_where_nobody_is(lab, tmp_path):
    lab.laser.states["on"].value = 1
    bench = bench_of(lab, tmp_path, address=(f"{lab.ports[2]}::SOCKET", "9::SOCKET"))
    with pytest.raises(InstrumentError, match=r"counter does not answer at TCPIP::127\.0\.0\.1::9::SOCKET"):
        run(bench, tmp_path)
    assert safe(lab)


def test_a_reply_that_cannot_be_read(lab, tmp_path):
    bench = bench_of(lab, tmp_path)
    lab.counter.device.say_first = lambda part: "~~~" if part == "INP1:LEV?" else lab.counter._say(part)
    bench.open()
    with pytest.raises(InstrumentError, match="answered '~~~' to INP1:LEV"):
        _ = bench.instruments["counter"].level
    assert set(bench.make_safe(close=True).values()) == {"safe"}


def test_an_error_in_the_devices_queue(lab, tmp_path):
    refused = lab.source.hear

    def hear(message):
        if message.startswith("FREQ 28"):
            lab.source.errors.append("10")
        return refused(message)

    lab.source.hear = hear
    bench = bench_of(lab, tmp_path)
    with pytest.raises(InstrumentError, match=r"source did not take 'FREQ 28\d+\.000000': it says 10"):
        _hearing(lab, hear, bench, tmp_path)
    assert safe(lab)


def _hearing(lab, hear, bench, tmp_path):
    # The server holds the method it was made with.
    for served in lab._stack._exit_callbacks:
        owner = getattr(served[1], "__self__", None)
        if getattr(owner, "device", None) is lab.source:
            owner._reply = hear
    run(bench, tmp_path)


def test_a_readback_that_is_off(lab, tmp_path):
    lab.source.states["frequency"].take = lambda text: True  # it says yes, and stays where it is
    with pytest.raises(InstrumentError, match=r"source\.frequency was set to 2\.8\S* GHz and reads 1 GHz"):
        run(bench_of(lab, tmp_path), tmp_path)
    assert safe(lab)


def test_a_role_without_a_device(lab, tmp_path):
    bench = bench_of(lab, tmp_path, role=('laser = "laser"', ""))
    with pytest.raises(UsageError, match="needs a Laser in the role 'laser'") as caught:
        run(bench, tmp_path)
    assert "[roles]" in caught.value.hint
    assert not lab.source.heard


def test_a_value_beyond_the_very_model(lab, tmp_path):
    bench = bench_of(lab, tmp_path)
    bench.open()
    with pytest.raises(LimitError, match=r"limits of the model: 950 kHz to 4\.05 GHz"):
        bench.instruments["source"].frequency = 5e9
    with pytest.raises(LimitError, match=r"limits of the model: 0 W to 1\.7 mW"):
        bench.instruments["laser"].power = 5e-3
    bench.make_safe(close=True)


def test_a_player_that_is_refused_says_so_at_once(lab, tmp_path):
    lab.streamer.error = 0x17
    with pytest.raises(InstrumentError, match="refused a sequence"):
        run(bench_of(lab, tmp_path), tmp_path)
    assert safe(lab)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (
            ("channels = {laser = 0, mw = 1, counter = 2}", "channels = {laser = 0, counter = 2}"),
            "no line for 'mw'",
        ),
        (("mw = 1,", "mw = 9,"), "lines 0 to 7, and 'mw' is to be on 9"),
        (("rabi = 0.2e6", "rabi = 1e6"), "a pulse of 200000 Hz is asked for"),
    ],
)
def test_what_a_player_cannot_play(lab, tmp_path, change, part):
    with pytest.raises(QlabError, match=part):
        run(bench_of(lab, tmp_path, change=change), tmp_path)
    assert safe(lab)
    assert not lab.streamer.played

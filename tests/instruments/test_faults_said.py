"""What is wrong is said before or at the first command, in one line with what to do, and the bench is made safe."""

import json

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


def inline(options):
    """Options as an inline table of TOML."""
    return "{" + ", ".join(f"{key} = {json.dumps(value)}" for key, value in options.items()) + "}"


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
    with pytest.raises(InstrumentError, match="serial number 'M00277475' instead of 'M00999999'") as caught:
        run(bench, tmp_path)
    assert caught.value.hint
    assert safe(lab)


def test_a_wrong_unit_in_the_bench_file(lab, tmp_path):
    with pytest.raises(UsageError, match=r"'V' is not a unit of"):
        bench_of(lab, tmp_path, unit=("start = {power = -13.98}", 'start = {frequency = "2 V"}'))


def test_a_role_in_another_unit(lab, tmp_path):
    gigahertz = f"""driver = "scpi.generic"
[instruments.source.options]
address = "{lab.addresses[0]}"
[instruments.source.options.knobs]
frequency = {{unit = "GHz", get = "FREQ? GHz", set = "FREQ {{:.9f}} GHz"}}
power = {{unit = "dBm", get = "AMPR?", set = "AMPR {{:.2f}}"}}
on = {{get = "ENBR?", set = "ENBR {{:d}}", kind = "switch", safe = false}}
[instruments.source]
"""
    text = lab.bench
    start, stop = text.index('driver = "srs.sg380"'), text.index("[instruments.laser]")
    bench = bench_of(
        lab, tmp_path, source=(text[start:stop], gigahertz.replace("[instruments.source]\n", ""))
    )
    with pytest.raises(
        UsageError, match=r"source cannot be the 'microwave'.*frequency is in 'GHz', not in 'Hz'"
    ) as caught:
        run(bench, tmp_path)
    assert "scale" in caught.value.hint
    assert not lab.source.heard  # seen before the first command


def test_a_device_set_to_another_unit(lab, tmp_path):
    from qlab_instruments.rohde_schwarz.smb import SMB100A

    lab.laser.states["on"].value = 1
    with SMB100A.rehearsal() as options:
        source = SMB100A(**options)
        source.open()
        source.query("UNIT:POW V;*OPC?")
        source.close()
        text = lab.bench
        start, stop = text.index('driver = "srs.sg380"'), text.index("start = {power")
        smb = 'driver = "rohde_schwarz.smb100a"\noptions = ' + inline(options) + "\n"
        bench = bench_of(lab, tmp_path, source=(text[start:stop], smb))
        with pytest.raises(InstrumentError, match=r"answers 'V' to UNIT:POW.*needs .*DBM") as caught:
            run(bench, tmp_path)
    assert caught.value.hint
    assert safe(lab)


def test_an_address_where_nobody_is(lab, tmp_path):
    lab.laser.states["on"].value = 1
    bench = bench_of(lab, tmp_path, address=(f"{lab.ports[2]}::SOCKET", "9::SOCKET"))
    with pytest.raises(
        InstrumentError, match=r"counter does not answer at TCPIP::127\.0\.0\.1::9::SOCKET"
    ) as caught:
        run(bench, tmp_path)
    assert caught.value.hint
    assert safe(lab)


def test_a_reply_that_cannot_be_read(lab, tmp_path):
    lab.source.fixed["FREQ?"] = "~~~"
    with pytest.raises(InstrumentError, match=r"source.* answered '~~~' to FREQ\?") as caught:
        run(bench_of(lab, tmp_path), tmp_path)
    assert caught.value.hint
    assert safe(lab)


def test_an_error_in_the_devices_queue(lab, tmp_path):
    taken = lab.source.states["frequency"].take

    def refuse(text):
        lab.source.errors.append("10")
        return taken(text)

    lab.source.states["frequency"].take = refuse
    with pytest.raises(
        InstrumentError, match=r"source did not take 'FREQ 28\d+\.000000': it says 10"
    ) as caught:
        run(bench_of(lab, tmp_path), tmp_path)
    assert caught.value.hint
    assert safe(lab)


def test_a_readback_that_is_off(lab, tmp_path):
    lab.source.states["frequency"].take = lambda text: True  # it says yes, and stays where it is
    with pytest.raises(
        InstrumentError, match=r"source\.frequency was set to 2\.8\S* GHz and reads 1 GHz"
    ) as caught:
        run(bench_of(lab, tmp_path), tmp_path)
    assert caught.value.hint
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

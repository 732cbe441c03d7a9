"""A SCPI instrument from a bench file, over real PyVISA with a pyvisa-sim device."""

import pytest

import qlab
from qlab.bench import Bench
from qlab.errors import InstrumentError, LimitError, UsageError

DEVICE = r"""
spec: "1.1"
devices:
  synth:
    eom:
      TCPIP INSTR:
        q: "\n"
        r: "\n"
    error: ERROR
    dialogues:
      - q: "*IDN?"
        r: "qlab,test synthesiser,7,1.0"
      - q: "*OPC?"
        r: "1"
      - q: "JUNK?"
        r: "garbage"
    properties:
      frequency:
        default: 1000000
        getter: {q: "FREQ?", r: "{:.6f}"}
        setter: {q: "FREQ {:f}"}
        specs: {min: 1, max: 10000000000, type: float}
      output:
        default: 0
        getter: {q: "OUTP?", r: "{:d}"}
        setter: {q: "OUTP {:d}"}
        specs: {type: int}
resources:
  TCPIP::192.0.2.7::INSTR:
    device: synth
"""
BENCH = """
[instruments.synth]
driver = "scpi.generic"
[instruments.synth.options]
address = "ADDRESS"
library = "LIBRARY@sim"
[instruments.synth.options.knobs]
frequency = {unit = "Hz", get = "FREQ?", set = "FREQ {:.3f}", limits = ["1 Hz", "6 GHz"]}
on = {get = "OUTP?", set = "OUTP {:d}", kind = "switch", safe = false}
junk = {get = "JUNK?"}
[roles]
source = "synth"
"""


@pytest.fixture
def bench_file(tmp_path):
    (tmp_path / "device.yaml").write_text(DEVICE)
    path = tmp_path / "bench.toml"
    text = BENCH.replace("LIBRARY", str(tmp_path / "device.yaml")).replace(
        "ADDRESS", "TCPIP::192.0.2.7::INSTR"
    )
    path.write_text(text)
    return path


@pytest.fixture
def bench(bench_file):
    made = Bench.load(bench_file)
    made.open()
    yield made
    made.close()


def test_knobs_reach_the_device_and_come_back(bench):
    synth = bench.instruments["synth"]
    assert synth.identity()["model"] == "test synthesiser"
    synth.frequency = 2.87e9
    assert synth.frequency == 2.87e9
    synth.on = True
    assert synth.on is True
    assert bench.make_safe() == {"synth": "safe"}
    assert synth.on is False


def test_limits_hold_before_the_wire(bench):
    synth = bench.instruments["synth"]
    with pytest.raises(LimitError, match="1 Hz to 6 GHz"):
        synth.frequency = 7e9
    assert synth.frequency == 1e6


def test_a_reply_that_is_no_number_is_said(bench):
    with pytest.raises(InstrumentError, match="answered 'garbage' to JUNK"):
        _ = bench.instruments["synth"].junk


def test_an_address_where_nobody_is_fails_at_open(bench_file):
    bench_file.write_text(bench_file.read_text().replace("192.0.2.7", "192.0.2.9"))
    with pytest.raises(InstrumentError, match="does not answer at"):
        Bench.load(bench_file).open()


def test_a_knob_written_wrong_is_said(bench_file):
    bench_file.write_text(bench_file.read_text().replace('get = "JUNK?"', 'gte = "JUNK?"'))
    with pytest.raises(UsageError, match="'junk' is not written right: gte"):
        Bench.load(bench_file)


def test_generic_scan_runs_on_it_as_on_the_simulated_bench(bench_file, tmp_path):
    run = qlab.run(
        "generic.scan",
        qlab.Bench.load(bench_file),
        out=tmp_path,
        knob="synth.frequency",
        values="1kHz:2kHz:5",
        readouts="synth.frequency, synth.on",
        settings="synth.on=1",
        passes=1,
    )
    assert not run.record.simulated
    assert run["synth_frequency"].tolist() == [1000.0, 1250.0, 1500.0, 1750.0, 2000.0]
    assert run["synth_frequency_readback"].tolist() == run["synth_frequency"].tolist()
    assert set(run["synth_on"]) == {1.0}
    assert run.record.column("synth_frequency").unit == "Hz"
    assert run.record.bench["instruments"]["synth"]["identity"]["serial"] == "7"


def test_generic_scan_of_the_simulated_bench_is_a_spectrum(tmp_path):
    run = qlab.run("generic.scan", qlab.Bench.load("sim-nv", seed=2), out=tmp_path, passes=40)
    grid = run.grid()
    frequency, rate = grid.axes[0][1], grid.value
    dip = abs(frequency - run.record.truth["resonance"]) < 3e6
    away = abs(frequency - run.record.truth["resonance"]) > 8e6
    assert rate[dip].mean() < rate[away].mean() - 5 * rate[away].std() / dip.sum() ** 0.5


def test_two_knobs_make_a_map(tmp_path):
    run = qlab.run(
        "generic.scan",
        qlab.Bench.load("sim-nv", seed=2),
        out=tmp_path,
        values="2.81GHz:2.82GHz:5",
        second_knob="coil.bz",
        second_values="0mT,0.1mT,0.2mT",
    )
    assert run.grid().value.shape == (3, 5)
    assert [axis.name for axis, _ in run.grid().axes] == ["coil_bz", "microwave_frequency"]


@pytest.mark.parametrize(
    ("settings", "part"),
    [
        ({"knob": "nothing.frequency"}, "no instrument 'nothing'"),
        ({"knob": "microwave.colour"}, "no knob 'colour'"),
        ({"values": "1GHz:30GHz:5"}, "outside the limits"),
        ({"settings": "laser.power=5"}, "outside the limits"),
        ({"settings": "laser.power"}, "instrument.knob=value"),
    ],
)
def test_a_scan_is_checked_whole_before_the_first_command(tmp_path, settings, part):
    with pytest.raises(UsageError, match=part):
        qlab.run("generic.scan", qlab.Bench.load("sim-nv"), out=tmp_path, **settings)
    assert not list(tmp_path.rglob("*.h5"))

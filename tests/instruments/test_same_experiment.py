"""nv.cw_odmr, its source unchanged, on simulated, on our, on QCoDeS's, on PyMeasure's drivers, and over sockets."""

import re

import numpy as np
import pytest

import qlab
from qlab.bench import Bench
from tests.instruments.lab import Lab

FREQUENCY = qlab.Centre(2.814e9, 12e6, 61)
SETTINGS = {"frequency": FREQUENCY, "passes": 1, "shots": 4000}
MIXED = """
name = "mixed"
[world]
kind = "nv"
[instruments.source]
driver = "{driver}"
options = {options}
start = {{power = 0}}
[instruments.player]
driver = "sim.pulse_player"
[instruments.laser]
driver = "sim.laser"
[instruments.counter]
driver = "sim.photon_counter"
[roles]
player = "player"
microwave = "source"
laser = "laser"
counter = "counter"
"""
SG384 = r"""
spec: "1.1"
devices:
  sg384:
    eom:
      GPIB INSTR: {q: "\n", r: "\n"}
    error: ERROR
    dialogues:
      - {q: "*IDN?", r: "Stanford Research Systems,SG384,s/n003021,ver1.24.26"}
      - {q: "*OPC?", r: "1"}
      - {q: "LERR?", r: "0"}
      - {q: "PHAS?", r: "0.00"}
      - {q: "AMPL?", r: "-40.00"}
      - {q: "MODL?", r: "0"}
      - {q: "TYPE?", r: "1"}
    properties:
      frequency:
        default: 1000000000
        getter: {q: "FREQ?", r: "{:.6f}"}
        setter: {q: "FREQ {:f}"}
        specs: {min: 950000, max: 4050000000, type: float}
      power:
        default: -50
        getter: {q: "AMPR?", r: "{:.2f}"}
        setter: {q: "AMPR {:f}"}
        specs: {min: -110, max: 16.5, type: float}
      on:
        default: 0
        getter: {q: "ENBR?", r: "{:d}"}
        setter: {q: "ENBR {:d}"}
        specs: {type: int}
      low:
        default: 0
        getter: {q: "ENBL?", r: "{:d}"}
        setter: {q: "ENBL {:d}"}
        specs: {type: int}
resources:
  GPIB::27::INSTR:
    device: sg384
"""


def right(run):
    """Whether a run found the resonance of its bench, within its own error."""
    fit = run.fit()
    truth = run.record.truth["resonance"]
    assert fit.success
    assert abs(fit.values["frequency"] - truth) < 4 * fit.errors["frequency"]
    assert fit.errors["frequency"] < 50e3
    return fit


def write(tmp_path, driver, options):
    path = tmp_path / "mixed.toml"
    path.write_text(MIXED.format(driver=driver, options=options))
    return Bench.load(path, seed=4)


def play(tmp_path, bench):
    return qlab.run("nv.cw_odmr", bench, out=tmp_path, **SETTINGS)


def test_a_simulated_instruments(tmp_path):
    right(play(tmp_path, Bench.load("sim-nv", seed=4)))


def test_b_our_sg380_over_pyvisa(tmp_path):
    (tmp_path / "sg384.yaml").write_text(SG384)
    bench = write(
        tmp_path,
        "srs.sg380",
        f'{{address = "GPIB::27::INSTR", library = "{tmp_path}/sg384.yaml@sim", trace = "{tmp_path}/wire.log"}}',
    )
    run = play(tmp_path, bench)
    right(run)
    source = bench.instruments["source"]
    said = (tmp_path / "wire.log").read_text()
    assert said.count("> FREQ 2") == 61
    assert said.count("> FREQ 2") == len(
        re.findall(r"> FREQ 28\d+\.000000;\*OPC\?\n.*< 1\n.*> LERR\?\n.*< 0\n", said)
    )
    assert source.known["on"][0] is False  # made safe
    assert run.record.bench["instruments"]["source"]["identity"]["serial"] == "s/n003021"


def test_c_a_qcodes_driver_over_its_own_simulation(tmp_path):
    pytest.importorskip("qcodes")
    options = '{address = "GPIB::1::INSTR", pyvisa_sim_file = "RSSGS100A.yaml", terminator = "\\n"}'
    bench = write(tmp_path, "qcodes:rohde_schwarz.RohdeSchwarzSGS100A", options)
    run = play(tmp_path, bench)
    right(run)
    knobs = run.record.bench["instruments"]["source"]["knobs"]
    assert knobs["power"] == {"value": 0.0, "unit": "dBm"}
    assert bench.instruments["source"].known["on"][0] is False


def test_d_a_pymeasure_driver_over_a_protocol_adapter(tmp_path):
    pytest.importorskip("pymeasure")
    idn = [("*IDN?", "Agilent Technologies,E8257D,US00000001,C.06.10")]
    script = [*idn, (":POW 0 dBm;", None), (":POW?;", "0.00")]
    script += [*idn, (":FREQ?;", "1.0E9"), (":POW?;", "0.00"), (":OUTPUT?", "0")]
    script += [(":OUTPUT ON;", None), (":OUTPUT?", "1")]
    for f in FREQUENCY.values():
        script += [(f":FREQ {f:e} Hz;", None), (":FREQ?;", f"{f:e}")]
    script += [*idn, (":FREQ?;", f"{f:e}"), (":POW?;", "0.00"), (":OUTPUT?", "1")]
    script += [(":OUTPUT OFF;", None), (":OUTPUT?", "0")]
    path = tmp_path / "e8257d.txt"
    path.write_text("".join(f"> {q}\n" + (f"< {r}\n" if r else "") for q, r in script))
    bench = write(tmp_path, "pymeasure:agilent.Agilent8257D", f'{{dialogue = "{path}", only = true}}')
    run = play(tmp_path, bench)
    right(run)
    assert run.record.safe_report["source"] == "safe"
    assert bench.instruments["source"].known["on"][0] is False


def test_e_real_drivers_alone_over_sockets(tmp_path):
    with Lab(seed=4) as lab:
        path = tmp_path / "lab.toml"
        path.write_text(lab.bench)
        bench = Bench.load(path)
        run = play(tmp_path, bench)
        assert not run.record.simulated
        fit = run.fit()
        truth = lab.world.truth()["resonance"]
        assert fit.success
        assert abs(fit.values["frequency"] - truth) < 4 * fit.errors["frequency"]
        # The same photons as the simulated bench counts, within their noise.
        twin = qlab.run("nv.cw_odmr", Bench.load("sim-nv", seed=9), out=tmp_path, **SETTINGS)
        difference = (run["counts"] - twin["counts"]) / np.sqrt(run["counts"] + twin["counts"])
        assert abs(difference.mean()) < 5 / np.sqrt(len(difference))
        assert difference.std() < 1.4
        assert lab.source.states["on"].value == 0
        assert lab.source.states["power"].value == -60
        assert lab.laser.states["on"].value == 0
        assert lab.laser.states["current"].value == 0
        assert "constant" in lab.streamer.asked

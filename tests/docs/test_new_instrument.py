"""The how-to on a new instrument does what it says, and a group of quantities is 4 to 6 lines."""

import re
from pathlib import Path

from qlab.bench import Bench
from qlab.conformance import conform, fitting
from qlab_instruments.dialogues.device import SimulatedDevice
from qlab_instruments.dialogues.server import Served

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "new-instrument.md"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_driver_of_the_page_conforms_on_the_dialogue_of_the_page(tmp_path):
    scope = {}
    exec(blocks("python")[0], scope)
    dialogue = next(block for block in blocks("toml") if block.startswith("identity"))
    (tmp_path / "source.toml").write_text(dialogue, encoding="utf-8")
    with Served(SimulatedDevice.read(tmp_path / "source.toml")) as served:
        made = scope["plugin"](served.address)
        assert [check for check in conform(made, move=True) if not check.ok] == []
        made.open()
        made.modulation = "pulse"
        assert made.modulation == "pulse"
        assert served.device.states["modulation"].value == "PULM"
        assert made.current == 2e-3
        made.close()
    assert {"microwave", "voltage_source"} <= set(fitting(made))


def test_a_group_of_quantities_is_four_to_six_lines():
    groups = re.findall(r"    # .*\n((?:    \w+ = (?:Knob|Switch|Choice).*\n)+)", blocks("python")[0])
    assert len(groups) == 3
    for group in groups:
        assert 4 <= len(group.strip().splitlines()) <= 6


def test_the_bench_entries_of_the_page_are_read(tmp_path):
    line, options = blocks("toml")[:2]
    assert "[instruments]\nsource = {driver" in line
    entry = tmp_path / "bench.toml"
    sim = 'address = "GPIB::1::INSTR", pyvisa_sim_file = "RSSGS100A.yaml", terminator = "\\n"'
    text = options.replace("[instruments.source.options]\n", "")
    named, knobs = text.split("[instruments.source.options.knobs]\n")
    knobs = "\n".join(k for k in knobs.splitlines() if not k.startswith("on ="))  # of another driver
    keys = "\n".join(sim.split(", "))
    entry.write_text(
        '[instruments.source]\ndriver = "qcodes:rohde_schwarz.RohdeSchwarzSGS100A"\n[instruments.source.options]\n'
        f"{keys}\n{named}[instruments.source.options.knobs]\n{knobs}\n"
    )
    knobs = Bench.load(entry).instruments["source"].knobs()
    assert set(knobs) == {"frequency", "power", "on"}
    assert knobs["power"].limits == (-120, 10)
    assert knobs["power"].settle == 0.01

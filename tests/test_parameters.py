"""Parameters: typed, refused, described."""

import pytest
from pydantic import ValidationError

from qlab.catalogue import benches, catalogue, check, describe
from qlab.errors import UsageError
from qlab.parameters import Parameters
from qlab.units import Hertz, Seconds


class Some(Parameters):
    gap: Seconds = 1e-6
    frequency: Hertz = 2.87e9
    shots: int = 10


def test_text_with_units_becomes_si():
    read = Some.read({"gap": "4us", "frequency": "2.9 GHz", "shots": "20"})
    assert (read.gap, read.frequency, read.shots) == (4e-6, 2.9e9, 20)
    assert Some.unit_of("gap") == "s"
    assert Some.unit_of("shots") == "1"


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({"gap": "4 MHz"}, "gap: 'MHz' is not a unit of time"),
        ({"gap": "-4us"}, "gap: .*greater than or equal to 0"),
        ({"gap": float("nan")}, "gap: "),
        ({"gpa": 1}, "Did you mean 'gap'"),
        ({"completely": 1}, "There are: gap"),
        ({"shots": "2.5"}, "shots: "),
    ],
)
def test_bad_parameters_get_one_line(values, part):
    with pytest.raises(UsageError, match=part) as caught:
        Some.read(values)
    assert "\n" not in str(caught.value)


def test_parameters_do_not_change():
    with pytest.raises(ValidationError, match="frozen"):
        Some().gap = 2.0


def test_every_installed_experiment_describes_itself():
    found = {entry["name"]: entry for entry in catalogue()}
    assert {
        "nv.ramsey",
        "nv.rabi",
        "nv.cw_odmr",
        "nv.pulsed_odmr",
        "nv.hahn_echo",
        "nv.t1",
        "generic.scan",
    } <= set(found)
    for entry in found.values():
        assert "broken" not in entry, entry
        assert entry["title"]
        assert entry["summary"]
        for field in entry["fields"]:
            assert field["title"]
            assert field["kind"] in {"quantity", "scan", "integer", "number", "boolean", "choice", "text"}


def test_the_defaults_of_a_description_are_accepted_again():
    for entry in catalogue():
        if entry["name"].startswith("custom."):
            continue  # they want a system of one's own on the bench
        values = {field["name"]: field["default"] for field in entry["fields"]}
        fits = [b["name"] for b in benches() if set(entry["roles"]) <= set(b["roles"])]
        bench = "sim-nv" if "sim-nv" in fits else fits[0]
        answer = check(entry["name"], values, bench)
        assert answer["problems"] == {}
        assert answer["rows"] > 0
        assert answer["seconds"] > 0


def test_check_names_the_field():
    answer = check("nv.ramsey", {"tau": "4 MHz"}, "sim-nv")
    assert "not a unit of time" in answer["problems"]["tau"]
    assert "limits" in check("nv.ramsey", {"laser_power": "1 W"}, "sim-nv")["problems"][""]
    assert "Did you mean" in check("nv.ramsy", {}, "sim-nv")["problems"][""]


def test_a_scan_is_described_with_its_unit():
    fields = {field["name"]: field for field in describe("nv.ramsey")["fields"]}
    assert fields["tau"]["kind"] == "scan"
    assert fields["tau"]["unit"] == "s"
    assert fields["shots"]["minimum"] == 1

"""What a profile does to a file: one master record, mirrors that repeat it, the report, and nothing personal."""

import getpass
import json
import os
import platform
import shutil
import socket
import sys
from pathlib import Path

import h5py
import pytest
from typer.testing import CliRunner

import qlab
from qlab import fair, profile
from qlab.cli.app import app
from qlab.errors import UsageError
from qlab.export.make import filled as filled_record
from qlab.profile import Profile
from qlab.record import Record
from qlab.store import check_file
from qlab.store.copy import rewritten
from qlab.store.crate import crate
from qlab.store.mirrors import differing, mirrored

sys.path.insert(0, str(Path(__file__).parent))
from typed_profile import TYPED

QUICK = {"tau": "0us:3us:16", "shots": 200, "passes": 2}


def measured(out, **options):
    return qlab.run("nv.ramsey", qlab.Bench.load("sim-nv", seed=1), out=out, **{**QUICK, **options})


def master_of(path):
    with h5py.File(path) as file:
        return json.loads(file["entry/metadata/data"][()])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run under a profile that is filled in whole."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("QLAB_CONFIG", "QLAB_RUNTIME"):
            patch.setenv(name, str(folder))
        patch.setenv("PYTHONPATH", ":".join(p for p in sys.path if p))
        made = profile.load()
        for key, value in TYPED.items():
            made = profile.changed(made, key, value)
        profile.save(made)
        return measured(folder / "runs")


def test_a_filled_profile_is_in_the_record_the_master_and_every_mirror(whole):
    run = whole
    assert {key: profile.value_of(run.record.profile, key) for key in ("project", "funding.acronym")} == {
        "project": TYPED["project"], "funding.acronym": TYPED["funding.acronym"],
    }  # fmt: skip
    assert check_file(run.path) == []
    master = master_of(run.path)
    graph = {item["@id"]: item for item in master["@graph"]}
    assert graph["https://orcid.org/0000-0002-1825-0097"]["name"] == "Curieux, Marguerite"
    assert graph["#award-1"]["identifier"] == "101012345"
    with h5py.File(run.path) as file:
        assert file.attrs["license"] == "https://spdx.org/licenses/CC-BY-4.0"
        assert file.attrs["institution"] == "Institute of Quantum Things"
        assert "101012345" in file.attrs["acknowledgement"]
        entry = file["entry"]
        assert entry["operator/name"].asstr()[()] == "Curieux, Marguerite"
        assert entry["operator/orcid"].asstr()[()].endswith("0000-0002-1825-0097")
        assert entry["access/rights"].asstr()[()] == "embargoed"
        assert entry["access/embargo_until"].asstr()[()] == "2031-06-30"
        assert entry["access/contains_personal_data"].asstr()[()] == "yes"
        assert entry["funding/award_1/number"].asstr()[()] == "101012345"
        assert entry["quantum/measurand"].asstr()[()] == "magnetic flux density"
        assert entry["quantum/measurand_uri"].asstr()[()].endswith("MagneticFluxDensity")
        # A simulated run is of the simulated sample, whatever lies on the bench.
        assert entry["sample/name"].asstr()[()] == "simulated NV"


def test_check_names_a_mirror_that_says_something_else(whole, tmp_path):
    path = tmp_path / whole.path.name
    shutil.copy(whole.path, path)
    with h5py.File(path, "r+") as file:
        file.attrs["license"] = "https://spdx.org/licenses/CC0-1.0"
        del file["entry/funding/award_1/number"]
        file["entry/funding/award_1/number"] = "7"
        assert set(differing(file, master_of_open(file))) == {"@license", "funding/award_1/number"}
    said = " ".join(check_file(path))
    assert "@license" in said
    assert "funding/award_1/number" in said


def master_of_open(file):
    return json.loads(file["entry/metadata/data"][()])


def test_every_field_of_a_profile_reaches_the_master(filled):
    """Take one field away at a time: the record must differ, or the field would be lost on the way to the file."""
    record = Record(
        id="x", experiment="e", title="t", parameters={}, columns=(), profile=filled, state="finished"
    )
    whole = crate(record, "run.h5", 0, "")
    data = filled.model_dump()
    for key, value in data.items():
        if not value:
            continue
        less = record.model_copy(update={"profile": Profile.model_validate({**data, key: type(value)()})})
        assert crate(less, "run.h5", 0, "") != whole, key
    for group in ("sample", "funding", "related"):
        items = data[group] if isinstance(data[group], list | tuple) else [data[group]]
        for key, value in items[0].items():
            if value:
                smaller = {**items[0], key: ""}
                changed = {**data, group: smaller if group == "sample" else [smaller]}
                less = record.model_copy(update={"profile": Profile.model_validate(changed)})
                assert crate(less, "run.h5", 0, "") != whole, f"{group}.{key}"


def test_the_report_is_met_by_a_filled_profile_and_says_what_to_do_without(whole, tmp_path):
    good = fair.report(whole.path)
    assert (good.met, good.possible, len(good.metrics)) == (12, 12, 17)
    assert good.problems == ()
    profile.save(Profile(pseudonym="operator-1"))
    bare = fair.report(measured(tmp_path).path)
    assert {metric.id for metric in bare.missed} == {"FsF-F2-01M", "FsF-A1-01M", "FsF-I3-01M", "FsF-R1.1-01M"}
    assert all("qlab profile set" in metric.what_to_do for metric in bare.missed)
    # Doing what it says meets them.
    for key, value in (
        ("affiliation", "Institute"), ("publisher", "Zenodo"), ("access", "open"), ("license", "CC0-1.0"),
        ("related.identifier", "10.5281/zenodo.1"),
    ):  # fmt: skip
        profile.save(profile.changed(profile.load(), key, value))
    assert fair.report(measured(tmp_path).path).missed == ()


def test_completion_tells_what_is_missing_until_it_is_not(whole):
    run = whole
    missing = {item.field for item in fair.completion(run.record) if item.needed and not item.present}
    assert missing == set()
    bare = run.record.model_copy(update={"profile": Profile(), "quantum": {"area": "cooking"}, "title": "x"})
    items = {item.field: item for item in fair.completion(bare)}
    for field in (
        "title",
        "affiliation",
        "publisher",
        "license",
        "access",
        "quantum.area",
        "quantum.platform",
    ):
        assert not items[field].present, field
        assert items[field].needed
        assert items[field].why
        assert items[field].what_to_do
    assert {item.field for item in fair.completion(Profile())} >= {
        "license",
        "sample.name",
        "funding.1.funder",
    }
    real = bare.model_copy(update={
        "simulated": False,
        "bench": {"instruments": {"source": {"driver": "scpi.generic", "identity": {"vendor": "Maker", "model": "M1"},
                                             "about": {"identifier": "https://doi.org/10.1234/5"}}}},
    })  # fmt: skip
    items = {item.field: item for item in fair.completion(real)}
    assert items["instrument.source"].present
    assert items["instrument.source.identifier"].present
    assert not items["instrument.source.owner"].present
    assert items["sample.name"].needed


def test_pidinst_fields_of_the_bench_file_reach_the_file(tmp_path):
    bench = tmp_path / "bench.toml"
    bench.write_text(
        """
name = "lab"
platform = "solid-state spins"
[world]
kind = "nv"
[roles]
player = "player"
microwave = "microwave"
laser = "laser"
counter = "counter"
"""
        + "".join(
            f'[instruments.{name}]\ndriver = "sim.{kind}"\n'
            for name, kind in (("player", "pulse_player"), ("microwave", "microwave"), ("laser", "laser"),
                               ("counter", "photon_counter"))
        )
        + '[instruments.microwave.about]\nidentifier = "https://doi.org/10.1234/source"\nowner = "Institute"\n'
        'manufacturer = "Maker"\nmodel = "M1"\nserial = "42"\n'
    )  # fmt: skip
    run = qlab.run("nv.ramsey", qlab.Bench.load(bench, seed=1), out=tmp_path / "out", **QUICK)
    with h5py.File(run.path) as file:
        device = file["entry/instrument/microwave"]
        read = {key: device[key].asstr()[()] for key in ("identifierPID", "owner", "model")}
        assert read == {
            "identifierPID": "https://doi.org/10.1234/source",
            "owner": "Institute",
            "model": "M1",
        }
        assert device["identifierPID"].attrs["type"] == "DOI"
        assert device["fabrication/vendor"].asstr()[()] == "Maker"
        assert device["fabrication/serial_number"].asstr()[()] == "42"
    assert check_file(run.path) == []


def test_nothing_personal_is_written_that_was_not_entered(tmp_path, monkeypatch):
    """Not the account, the machine, the home folder, nor the names of the folders that the run was written to."""
    home = tmp_path / "home" / "mgcurieux"
    home.mkdir(parents=True)
    for name in ("USER", "LOGNAME", "USERNAME"):
        monkeypatch.setenv(name, "mgcurieux")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr(socket, "gethostname", lambda: "curieux-laptop")
    monkeypatch.setattr(platform, "node", lambda: "curieux-laptop")
    assert getpass.getuser() == "mgcurieux"
    run = measured(home / "data", shots=100)
    raw = Path(run.path).read_bytes()
    for word in (b"mgcurieux", b"curieux-laptop", os.fsencode(str(home)), os.uname().nodename.encode()):
        assert word not in raw, word
    with h5py.File(run.path) as file:
        assert file["entry/access/contains_personal_data"].asstr()[()] == "pseudonymous"
        assert file["entry/operator/name"].asstr()[()].startswith("operator-")
        assert "creator_name" not in file.attrs


def test_a_profile_given_later_fills_only_what_was_left_empty(filled):
    early = Record(
        id="x",
        experiment="e",
        title="t",
        parameters={},
        columns=(),
        profile=Profile(license="CC0-1.0", pseudonym="p"),
    )
    late = filled_record(early, filled).profile
    assert (late.license, late.pseudonym) == ("CC0-1.0", "p")
    assert late.affiliation == "Institute of Quantum Things"
    assert late.sample.name == "diamond 7"


def test_mirrors_of_a_foreign_record_raise_nothing_but_lookup_errors():
    for foreign in ({}, {"@graph": []}, {"@graph": [{"@id": "./"}]}):
        with pytest.raises((LookupError, TypeError)):
            mirrored(foreign)


def test_a_bench_file_with_a_bad_identifier_is_refused(tmp_path):
    bench = tmp_path / "bench.toml"
    for line in ('identifier = "the blue one"', 'calibrated = "in spring"'):
        bench.write_text(f'[instruments.a]\ndriver = "scpi.generic"\n[instruments.a.about]\n{line}\n')
        with pytest.raises(UsageError, match="about"):
            qlab.Bench.load(bench)


def test_the_command_line_tells_the_same(whole, tmp_path):
    invoke = CliRunner().invoke
    told = json.loads(invoke(app, ["check", str(whole.path), "--json"]).output)
    assert (told["problems"], told["needed"], told["fair"]["met"]) == ([], [], 12)
    assert invoke(app, ["check", str(whole.path), "--publication"]).exit_code == 0
    shown = json.loads(invoke(app, ["show", str(whole.path), "--json"]).output)
    assert shown["fair"] == told["fair"]
    assert shown["profile"]["license"] == "CC-BY-4.0"
    bare = tmp_path / "bare.h5"
    rewritten(whole.path, bare, whole.record.model_copy(update={"profile": Profile(pseudonym="p")}))
    assert invoke(app, ["check", str(bare)]).exit_code == 0
    said = invoke(app, ["check", str(bare), "--publication"])
    assert said.exit_code == 1
    assert "qlab profile set license CC-BY-4.0" in said.output
    assert isinstance(invoke(app, ["export", str(bare), "x", "--also", "Pierre"]).exception, UsageError)

"""Redaction: the copy holds no personal data in any byte, and everything else is still there."""

import h5py
import numpy as np
import pytest

import qlab
from qlab import profile
from qlab.errors import FileError, UsageError
from qlab.export.make import make
from qlab.export.redact import found_in, redacted, secrets
from qlab.record import Record
from qlab.store import check_file, edit_sidecar

WORDS = ("Curieux", "Marguerite", "0000-0002-1825-0097", "m.curieux@lab.example", "/home/mgc", "Pierre")


@pytest.fixture
def personal(filled, tmp_path):
    """A run that is full of a person: in the profile, the title, the parameters, and the notes."""
    run = qlab.run(
        "nv.ramsey", qlab.Bench.load("sim-nv", seed=1), out=tmp_path / "data", tau="0us:3us:16", shots=200, passes=2,
        title="Ramsey of Marguerite Curieux, ask m.curieux@lab.example",
    )  # fmt: skip
    edit_sidecar(
        run.path, notes="Curieux found it in /home/mgc/old, said Pierre; MARGUERITE agreed", tags=["curieux"]
    )
    return run


def bytes_with(path, words):
    raw = path.read_bytes().lower()
    return [w for w in words if w.lower().encode() in raw or w.lower().encode("utf-16-le") in raw]


def test_no_byte_of_the_copy_is_personal(personal, filled, tmp_path):
    assert bytes_with(personal.path, WORDS[:4]) == list(WORDS[:4])  # or the search would prove nothing
    before = personal.path.read_bytes()
    copy = make(personal.path, tmp_path / "copy.h5", redacted=True, also=["Pierre"])
    assert bytes_with(copy, WORDS) == []
    assert personal.path.read_bytes() == before
    assert check_file(copy) == []
    with h5py.File(copy) as file:
        entry = file["entry"]
        assert entry["operator/name"].asstr()[()] == filled.pseudonym
        assert entry["access/contains_personal_data"].asstr()[()] == "pseudonymous"
        # What is not personal travels.
        assert entry["access/embargo_until"].asstr()[()] == "2031-06-30"
        assert entry["access/rights"].asstr()[()] == "embargoed"
        assert file.attrs["license"].endswith("CC-BY-4.0")
        assert file.attrs["institution"] == "Institute of Quantum Things"
        assert "found it in ~/old" in entry["notes/data"].asstr()[()]


def test_the_rows_are_the_same(personal, tmp_path):
    copy = qlab.open_run(make(personal.path, tmp_path / "copy.h5", redacted=True))
    assert (copy.id, len(copy), copy.state) == (personal.id, len(personal), "finished")
    for column in personal.record.columns:
        np.testing.assert_array_equal(copy[column.name], personal[column.name])
    assert copy.record.parameters == personal.record.parameters
    assert copy.record.programs == personal.record.programs
    assert copy.record.fits[0].model == personal.record.fits[0].model


@pytest.mark.parametrize(("to", "name"), [("report", "r.html"), ("datacite", "d.json"), ("csv", "d.csv")])
def test_exports_are_redacted_too(personal, tmp_path, to, name):
    plain = make(personal.path, tmp_path / f"plain-{name}", to)
    assert bytes_with(plain, ["Curieux"])
    assert bytes_with(make(personal.path, tmp_path / name, to, redacted=True, also=["Pierre"]), WORDS) == []


def test_a_name_that_cannot_be_taken_out_leaves_no_copy(personal, tmp_path):
    target = tmp_path / "copy.h5"
    with pytest.raises(FileError, match="cannot be taken out"):
        make(personal.path, target, redacted=True, also=["reference"])  # a column of this run is called so
    assert not target.exists()


def test_the_run_itself_is_never_the_target(personal, tmp_path):
    with pytest.raises(FileError, match="replace the run itself"):
        make(personal.path, personal.path, redacted=True)
    (tmp_path / "there.h5").write_text("x")
    with pytest.raises(FileError, match="there already"):
        make(personal.path, tmp_path / "there.h5", redacted=True)
    with pytest.raises(UsageError, match="does not say in which format"):
        make(personal.path, tmp_path / "new.h5")


def test_words_of_the_machine_stay():
    """Somebody may be called Long, Linear or Field: only sentences lose parts of a name."""
    who = profile.Profile(name="Long, Linear", pseudonym="p")
    record = Record(
        id="x", experiment="e", title="Run of Linear Long", parameters={"tau": {"kind": "linear"}}, columns=(),
        profile=who, log=({"message": "long wait for Linear"},),
    )  # fmt: skip
    clean = redacted(record)
    assert clean.parameters == {"tau": {"kind": "linear"}}
    assert clean.title == "Run of redacted"
    assert clean.log[0]["message"] == "redacted wait for redacted"
    assert secrets(record) == ["Long, Linear"]


def test_the_search_looks_over_the_edges_of_its_pieces(tmp_path):
    path = tmp_path / "big"
    path.write_bytes(b"x" * ((4 << 20) - 3) + b"Curieux" + b"y" * 100)
    assert found_in(path, ["curieux"]) == "curieux"
    assert found_in(path, ["pierre"]) == ""

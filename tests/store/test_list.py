"""Listing, checking and naming."""

import os
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import h5py
import pytest

from qlab.errors import FileError
from qlab.store import RunWriter, check_file, edit_sidecar, list_runs, open_run
from qlab.store import index as index_module
from qlab.store.storedunits import has_root, squared_unit, stored_unit


def make_runs(folder, new_record, end, count):
    paths = []
    for i in range(count):
        record = new_record(title=f"Ramsey number{i}", started=f"2026-11-{10 + i}T20:00:00+00:00")
        paths.append(RunWriter.create(folder, record).finish(end(record, ended=record.started)))
    return paths


def test_runs_are_listed_newest_first_and_found_by_words(tmp_path, new_record, end):
    paths = make_runs(tmp_path, new_record, end, 4)
    (tmp_path / "2026-11-10" / "damaged.h5").write_bytes(b"\x89HDF\r\n\x1a\n and no more")
    runs = list_runs(tmp_path)
    assert [run.path for run in runs[:4]] == paths[::-1]
    assert runs[0].figures["sensitivity"] == 3e-9
    assert (runs[0].state, runs[0].rows, runs[0].simulated) == ("finished", 0, True)
    assert (runs[4].state, runs[4].path.name) == ("damaged", "damaged.h5")
    assert runs[4].reason
    assert [run.path for run in list_runs(tmp_path, "ramsey NUMBER2")] == [paths[2]]
    assert [run.path for run in list_runs(tmp_path, "damaged")] == [runs[4].path]
    assert list_runs(tmp_path, 'no" such*') == []
    with pytest.raises(FileError):
        list_runs(tmp_path / "none")


def test_a_second_listing_opens_no_file(tmp_path, new_record, end, monkeypatch):
    paths = make_runs(tmp_path, new_record, end, 3)
    first = list_runs(tmp_path)
    monkeypatch.setattr(index_module, "ask_all", lambda *_: pytest.fail("a file was opened"))
    assert list_runs(tmp_path) == first
    paths[0].unlink()
    assert len(list_runs(tmp_path)) == 2
    monkeypatch.undo()
    os.utime(paths[1])
    assert len(list_runs(tmp_path)) == 2


def test_a_sidecar_is_searched_too(tmp_path, new_record, end):
    (path,) = make_runs(tmp_path, new_record, end, 1)
    assert list_runs(tmp_path, "helium") == []
    edit_sidecar(path, notes="helium was low", add_tags=["Cold Run"], star=True)
    (found,) = list_runs(tmp_path, "helium")
    assert (found.notes, found.tags, found.star) == ("helium was low", ("cold-run",), True)


@pytest.mark.parametrize("harm", ["damage", "remove", "forbid"])
def test_the_index_is_never_needed(tmp_path, new_record, end, harm, monkeypatch):
    make_runs(tmp_path / "runs", new_record, end, 2)
    cache = tmp_path / "cache"
    monkeypatch.setenv("QLAB_CACHE", str(cache))
    assert len(list_runs(tmp_path / "runs")) == 2
    for file in cache.iterdir():
        file.write_bytes(b"nonsense" * 1000) if harm == "damage" else file.unlink()
    if harm == "forbid":
        cache.rmdir()
        cache.write_text("a file, not a folder")
    assert len(list_runs(tmp_path / "runs")) == 2
    assert len(list_runs(tmp_path / "runs", "number1")) == 1


def test_two_may_list_at_once(tmp_path, new_record, end):
    make_runs(tmp_path, new_record, end, 3)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(list_runs, [tmp_path] * 2))
    assert all(runs == found[0] for runs in found)


def test_thousands_of_runs_list_fast_once_known(tmp_path, finished, monkeypatch):
    monkeypatch.setenv("QLAB_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(2000):
        (folder / f"r{i}.h5").touch()
    first = list_runs(folder)
    assert len(first) == 2000
    begun = time.monotonic()
    assert list_runs(folder) == first
    assert time.monotonic() - begun < 5  # well below a second on a machine of its own
    assert list((tmp_path / "cache").glob("*.sqlite"))
    with sqlite3.connect(next((tmp_path / "cache").glob("*.sqlite"))) as database:
        assert database.execute("select count(*) from words").fetchone() == (2000,)
    database.close()


def test_check_names_what_is_missing(tmp_path, new_record, end, finished):
    assert check_file(finished) == []
    wanted = check_file(finished, publication=True)
    assert any("licence" in line for line in wanted)
    with h5py.File(finished, "r+") as file:
        del file["entry/shots/tau"].attrs["units"]
        file["entry/shots/counts"].attrs["units"] = "T/Hz^0.5"
        del file["entry/end_time"]
    lines = check_file(finished)
    for part in ("tau has no units", "T/Hz^0.5", "end_time", "checksum"):
        assert any(part in line for line in lines), (part, lines)
    growing = RunWriter.create(tmp_path, new_record())
    assert check_file(growing.path) == ["The run has not been finalised."]
    growing.close()


def test_check_names_a_changed_value(finished):
    with h5py.File(finished, "r+") as file:
        file["entry/shots/counts"][0] += 1
    assert check_file(finished) == [
        "The checksum does not hold: the data were changed since they were written."
    ]
    with pytest.raises(FileError, match="checksum"):
        open_run(finished)


@pytest.mark.parametrize(
    ("unit", "squared"),
    [
        ("T/√Hz", "T2/Hz"), ("nT/√Hz", "nT2/Hz"), ("m/s²/√Hz", "m2/s4/Hz"), ("rad/s/√Hz", "rad2/s2/Hz"),
        ("1/√Hz", "1/Hz"), ("T·√s", "T2.s"), ("T/Hz^0.5", "T2/Hz"), ("V/√Hz", "V2/Hz"),
    ],
)  # fmt: skip
def test_half_powers_are_squared_away(unit, squared):
    assert has_root(unit)
    assert squared_unit(unit) == squared
    assert not has_root(squared)


@pytest.mark.parametrize(
    ("unit", "stored"),
    [("", "1"), ("µs", "us"), ("s", "s"), ("m/s²", "m/s2"), ("Ω", "Ohm"), ("counts", "1"), ("Hz⁻¹", "Hz-1")],
)
def test_units_are_spelled_for_every_reader(unit, stored):
    assert stored_unit(unit) == stored
    assert not has_root(unit)

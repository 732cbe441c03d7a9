"""The library: its search language, what it finds of sidecars, pages, thumbnails, the trash, two processes at once."""

import os
import subprocess
import sys
from datetime import date, datetime, timedelta

import h5py
import numpy as np
import pytest

from qlab.errors import FileError, UsageError
from qlab.record import FitParameter, FitResult
from qlab.store import Library, RunWriter, edit_sidecar, list_runs, open_run, restore_run, trash_run, trashed
from qlab.store import index as index_module
from qlab.store.query import where

NOW = datetime.now().astimezone()


@pytest.fixture
def folder(tmp_path, new_record, end, block):
    """Three runs: today's Ramsey, a Hahn echo of three days ago, a Rabi of 400 days ago."""
    plans = [
        ("nv.ramsey", NOW, {"B": 2e-3, "shots": 1000, "tau": {"kind": "linear", "start": 0.0, "stop": 4e-6}}, {}),
        ("nv.hahn_echo", NOW - timedelta(days=3), {"shots": 5000, "tau": {"kind": "centre", "centre": 1e-5,
                                                                          "span": 4e-6}}, {"simulated": False}),
        ("nv.rabi", NOW - timedelta(days=400), {"shots": 777, "power": -3.5}, {"bench": {"sample": {"name": "A3"}}}),
    ]  # fmt: skip
    paths = []
    for experiment, started, parameters, more in plans:
        units = {"B": "T", "tau": "s", "shots": "1", "power": "dBm"}
        record = new_record(experiment=experiment, title=f"Of {experiment}", started=started.isoformat(),
                            parameters=parameters, units=units, **more)  # fmt: skip
        writer = RunWriter.create(tmp_path / "runs", record)
        writer.write(block())
        paths.append(writer.finish(end(record)))
    edit_sidecar(paths[1], notes="the Helium ran low", tags=["cold", "keep me"], star=True)
    fit = FitResult(
        model="m", signal="s", success=True, parameters=(FitParameter(name="T2", value=3e-6, unit="s"),)
    )
    edit_sidecar(paths[1], add_fit=fit)
    return tmp_path / "runs", paths


R, H, B = 0, 1, 2
FOUND = [
    ("", {R, H, B}), ("helium", {H}), ("HELI ran", {H}), ('"ran low"', {H}), ('"low ran"', set()),
    ("-helium", {R, B}), ("tag:cold", {H}), ("tag:keep-me", {H}), ("tag:col", set()), ("tag:co*", {H}),
    ("-tag:cold", {R, B}), ("is:star", {H}), ("star:no", {R, B}), ("is:simulated", {R, B}),
    ("simulated:no", {H}), ("experiment:ramsey", {R}), ("experiment:nv", {R, H, B}),
    ("experiment:*echo", {H}), ("state:finished", {R, H, B}), ("state:failed", set()), ("sample:a3", {B}),
    ("operator:operator", {R, H, B}), ('title:"Of nv.rabi"', {B}), ("date:today", {R}),
    ("date:last-7-days", {R, H}), ("-date:last-7-days", {B}), ("date:>2020", {R, H, B}),
    (f"date:{NOW:%Y-%m-%d}", {R}),
    (f"date:{NOW - timedelta(days=400):%Y-%m-%d}..{NOW - timedelta(days=2):%Y-%m-%d}", {H, B}),
    (f"date:<{NOW:%Y-%m-%d}", {H, B}), (f"date:{NOW - timedelta(days=400):%Y-%m}", {B}), ("t2>2us", {H}),
    ("t2>2000ns", {H}), ("T2<2us", set()), ("t2=3us", {H}), ("t2>2mT", set()), ("t2=1us..3us", {H}),
    ("T2*<2us", {R, H, B}), ("t2_star=1.9us", {R, H, B}), ("b=2mT", {R}), ("b=20G", {R}), ("B>=2mT", {R}),
    ("B>2mT", set()), ("shots>=1000", {R, H}), ("shots=777", {B}), ("shots!=777", {R, H}),
    ("shots=700..1000", {R, B}), ("tau>5us", {H}), ("tau>11us", {H}), ("tau>12.1us", set()),
    ("tau<1us", {R}), ("tau=2us", {R}), ("power<-3dBm", {B}), ("sensitivity<5nT/√Hz", {R, H, B}),
    ("sensitivity>5nT/√Hz", set()), ("shots>=1000 is:star echo", {H}),
]  # fmt: skip
NOT_UNDERSTOOD = [
    "t2>abc",
    "t2>3us..4us",
    "is:funny",
    "star:perhaps",
    "date:someday",
    "date:2026-13",
    "t2>2parsnips",
    "tags:cold",
    "experimnt:ramsey",
    "-sampel:A3",
]
ODD = ['"', "'", "%", "_", "*", "--", "-", "a OR b", "NEAR(", ":", "tag:", ")", "x;drop table runs"]


def test_the_search_language(folder):
    place, paths = folder
    with Library(place) as library:
        library.refresh()
        for query, wanted in FOUND:
            assert {paths.index(run.path) for run in library.page(query)} == wanted, query
        for query in NOT_UNDERSTOOD:
            with pytest.raises(UsageError) as caught:
                library.page(query)
            assert caught.value.hint, query
        for query in ODD:
            library.page(query)
        assert library.count() == 3


def test_periods_by_the_calendar():
    day = date(2026, 3, 1)  # a Sunday
    for text, first, last in (
        ("this-week", date(2026, 2, 23), date(2026, 3, 2)), ("last-week", date(2026, 2, 16), date(2026, 2, 23)),
        ("this-month", date(2026, 3, 1), date(2026, 4, 1)), ("last-month", date(2026, 2, 1), date(2026, 3, 1)),
        ("this-year", date(2026, 1, 1), date(2027, 1, 1)), ("2025-12", date(2025, 12, 1), date(2026, 1, 1)),
    ):  # fmt: skip
        values = where(f"date:{text}", day).values
        assert [datetime.fromtimestamp(float(v)).date() for v in values] == [first, last]


def test_pages_counts_tags_and_thumbnails(folder):
    place, paths = folder
    with Library(place) as library:
        library.refresh()
        assert library.count() == 3
        assert [run.path for run in library.page(offset=1, limit=1)] == [paths[1]]
        assert library.tags() == [("cold", 1), ("keep-me", 1)]
        with h5py.File(paths[0]) as file:
            np.testing.assert_array_equal(library.thumbnail(paths[0]), file["entry/preview/image"][:])
        assert library.thumbnail(place / "none.h5") is None


def test_no_text_of_a_run_and_no_name_of_a_folder_mixes_up_its_line(tmp_path, new_record, end, block):
    record = new_record(title="one\x1ftwo\nthree", parameters={"comment": "a\x1fb"})
    writer = RunWriter.create(tmp_path / "odd\x1ffolder", record)
    writer.write(block())
    path = writer.finish(end(record))
    edit_sidecar(path, notes="cold\x1fwarm", star=True)
    (run,) = list_runs(tmp_path)
    assert (run.path, run.id, run.rows, run.star, run.simulated) == (path, record.id, 51, True, True)
    assert (run.title, run.notes) == ("one two\nthree", "cold warm")
    assert set(run.figures) == {figure.name for figure in open_run(path).record.figures}


def test_a_change_in_a_settled_folder_is_seen(folder, monkeypatch):
    place, paths = folder
    for path in paths:
        for item in (*path.parent.iterdir(), path.parent, place):
            os.utime(item, (1_600_000_000, 1_600_000_000))
    assert len(list_runs(place)) == 3
    edit_sidecar(paths[0], add_tags=["late"])
    assert [run.path for run in list_runs(place, "tag:late")] == [paths[0]]
    paths[2].unlink()
    assert len(list_runs(place)) == 2


def test_a_deleted_run_takes_its_notes_along_and_comes_back(folder):
    place, paths = folder
    gone = trash_run(paths[1], place)
    assert {run.path for run in list_runs(place)} == {paths[0], paths[2]}
    assert trashed(place) == [gone]
    assert not paths[1].with_name(paths[1].stem + ".notes.json").exists()
    assert restore_run(gone) == paths[1]
    assert list_runs(place, "tag:cold")[0].path == paths[1]
    assert len(open_run(paths[1])) == 51
    assert trashed(place) == []
    assert not list((place / ".trash").iterdir())
    trash_run(paths[1], place)
    paths[1].write_bytes(b"another")
    with pytest.raises(FileError, match="exists already"):
        restore_run(gone)
    with pytest.raises(FileError, match="not in the trash"):
        restore_run(paths[0])


def test_a_run_that_is_being_written_is_not_deleted(tmp_path, record, block):
    writer = RunWriter.create(tmp_path, record)
    writer.write(block())
    with pytest.raises(FileError, match="still being written"):
        trash_run(writer.path, tmp_path)
    writer.close()


def test_a_page_can_be_shown_while_the_first_indexing_goes_on(tmp_path, new_record, end, monkeypatch):
    """What was looked into is found by others at once, newest first; one cut off goes on where it was."""
    monkeypatch.setattr(index_module, "SHOWN_AFTER", 0.0)
    for day in range(1, 7):
        record = new_record(started=f"2026-11-{day:02d}T12:00:00+00:00", title=f"day{day}")
        RunWriter.create(tmp_path, record).finish(end(record))
    seen = []

    def look(done, total):
        with Library(tmp_path) as other:
            seen.append((done, total, [run.title for run in other.page()]))
        if done == 4:
            raise KeyboardInterrupt

    with Library(tmp_path) as library, pytest.raises(KeyboardInterrupt):
        library.refresh(tell=look)
    assert [(done, total) for done, total, _ in seen] == [(n, 6) for n in range(1, 5)]
    assert seen[1][2] == ["day6", "day5"]
    seen.clear()
    with Library(tmp_path) as library:
        library.refresh(tell=look)
        assert [(done, total) for done, total, _ in seen] == [(1, 2), (2, 2)]
        assert library.count() == 6


def test_two_processes_use_one_index(folder):
    place, _ = folder
    code = (
        "import sys\nfrom qlab.store import list_runs, edit_sidecar\n"
        "for i in range(6):\n    runs = list_runs(sys.argv[1])\n    assert len(runs) == 3, runs\n"
        "    edit_sidecar(runs[i % 3].path, add_tags=[sys.argv[2] + str(i)])\n"
        "    assert len(list_runs(sys.argv[1], 'tag:' + sys.argv[2] + str(i))) == 1"
    )
    both = [subprocess.Popen([sys.executable, "-c", code, str(place), who]) for who in "pq"]
    assert [process.wait(120) for process in both] == [0, 0]
    assert len(list(list_runs(place, "tag:p* tag:q*"))) == 3

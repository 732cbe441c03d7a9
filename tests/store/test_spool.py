"""Where rows go when their folder fails, and how they come home: nothing lost, no run twice."""

import numpy as np
import pytest

from qlab.store import RunWriter, list_runs, open_run, recover
from qlab.store import writer as writer_module


@pytest.fixture
def spool(tmp_path, monkeypatch):
    folder = tmp_path / "spool"
    monkeypatch.setenv("QLAB_SPOOL", str(folder))
    return folder


def runs_of(folder):
    return [(run.id, run.state, run.rows) for run in list_runs(folder)]


def test_on_a_network_folder_the_growing_file_is_local(tmp_path, spool, record, end, block, monkeypatch):
    share = tmp_path / "share"
    share.mkdir()
    monkeypatch.setenv("QLAB_NETWORK_FOLDERS", str(share))
    writer = RunWriter.create(share, record)
    writer.write(block())
    writer.flush()
    assert writer.path.parent == spool
    assert not list(share.rglob("*.h5"))
    path = writer.finish(end(record))
    assert path.is_relative_to(share)
    assert len(open_run(path)) == 51
    assert [p.name for p in spool.iterdir()] == []
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_network_run_that_dies_is_recovered_into_its_folder(tmp_path, spool, record, block, monkeypatch):
    share = tmp_path / "share"
    share.mkdir()
    monkeypatch.setenv("QLAB_NETWORK_FOLDERS", str(share))
    writer = RunWriter.create(share, record)
    writer.write(block())
    writer.close()
    (path,) = recover(share)
    assert path.is_relative_to(share)
    assert open_run(path).state == "interrupted"
    assert list(spool.iterdir()) == []


def test_a_folder_that_vanishes_and_returns_holds_one_run(tmp_path, spool, record, end, block, monkeypatch):
    """As a drive that is pulled: the path is gone, the file behind it is out of sight."""
    monkeypatch.setattr(writer_module, "SYNC", 0.0)
    monkeypatch.setattr("qlab.store.place._asked", lambda descriptor: None)
    data, away = tmp_path / "data", tmp_path / "away"
    writer = RunWriter.create(data, record)
    writer.note("program", {"name": "played before the folder went"})
    writer.write(block())
    writer.flush()
    data.rename(away)
    writer.write(block(51))
    writer.tick()
    assert writer.path.parent == spool
    assert any("vanished" in line for line in writer.warnings)
    writer.write(block(102))
    path = writer.finish(end(record))
    assert path.parent == spool
    assert not data.exists()
    assert any("qlab recover" in line for line in writer.warnings)
    # It returns with what it had: a growing file of the same run.
    away.rename(data)
    (stale,) = data.rglob("*.part.h5")
    (home,) = recover(data)
    assert home.parent == stale.parent
    assert runs_of(data) == [(record.id, "finished", 153)]
    assert not stale.exists()
    assert stale.with_name(stale.name + ".aside").exists()
    assert not list(spool.iterdir())
    assert recover(data) == []


def test_a_run_killed_in_the_spool_comes_home_once(tmp_path, spool, record, block, monkeypatch):
    monkeypatch.setattr(writer_module, "SYNC", 0.0)
    monkeypatch.setattr("qlab.store.place._asked", lambda descriptor: None)
    data, away = tmp_path / "data", tmp_path / "away"
    writer = RunWriter.create(data, record)
    writer.note("program", {"name": "played before the folder went"})
    writer.write(block())
    writer.flush()
    data.rename(away)
    writer.write(block(51))
    writer.tick()
    writer.close()
    away.rename(data)
    (part,) = data.rglob("*.part.h5")
    run = open_run(part)
    assert (run.state, len(run)) == ("interrupted", 102)
    assert run.record.programs[0]["name"] == "played before the folder went"
    assert run.path.is_relative_to(data)
    assert runs_of(data) == [(record.id, "interrupted", 102)]


def test_a_data_folder_renamed_in_the_middle_holds_one_run(tmp_path, spool, record, end, block):
    data, renamed = tmp_path / "data", tmp_path / "renamed"
    writer = RunWriter.create(data, record)
    writer.write(block())
    writer.flush()
    data.rename(renamed)
    writer.write(block(51))
    path = writer.finish(end(record))
    assert path.is_relative_to(renamed)
    assert not data.exists()
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert runs_of(renamed) == [(record.id, "finished", 102)]
    np.testing.assert_array_equal(open_run(path)["counts"][51:], block(51)["counts"])

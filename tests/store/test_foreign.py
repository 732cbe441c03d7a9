"""Files that are not ours are looked at, or refused with a plain reason."""

import h5py
import numpy as np
import pytest

from qlab.errors import FileError
from qlab.store import open_any
from qlab.store.child import ask_all

X = np.linspace(0, 1, 21)


def test_the_default_plot_of_a_nexus_file(tmp_path):
    path = tmp_path / "scan.nxs"
    with h5py.File(path, "w") as file:
        file.attrs["default"] = "entry"
        entry = file.create_group("entry")
        entry.attrs["default"] = "b"
        for name, factor in (("a", 1.0), ("b", 2.0)):
            data = entry.create_group(name)
            data.attrs["NX_class"], data.attrs["signal"], data.attrs["axes"] = "NXdata", "y", ["angle"]
            data["y"], data["angle"] = factor * X**2, X
            data["y"].attrs["units"], data["angle"].attrs["units"] = "V", "deg"
        entry["large"] = np.zeros(10_000)
    run = open_any(path)
    view = run.grid()
    np.testing.assert_array_equal(view.value, 2 * X**2)
    np.testing.assert_array_equal(view.axes[0][1], X)
    assert (view.axes[0][0].name, view.axes[0][0].unit, run.record.columns[-1].unit) == ("angle", "deg", "V")


def test_plain_arrays_get_the_axes_that_fit(tmp_path):
    path = tmp_path / "plain.h5"
    image = np.arange(21.0 * 5).reshape(21, 5)
    with h5py.File(path, "w") as file:
        file["image"], file["position"] = image, X
    view = open_any(path).grid()
    np.testing.assert_array_equal(view.value, image)
    assert [axis.name for axis, _ in view.axes] == ["position", "index_1"]


def test_arrays_of_one_shape_are_signals_over_what_rises(tmp_path):
    """Three columns of somebody's own: the one that only rises is the axis, whatever its name, and none is lost."""
    path = tmp_path / "columns.h5"
    with h5py.File(path, "w") as file:
        file["a_time"], file["current"], file["phase"] = X, np.cos(9 * X), np.sin(9 * X)
        file["current"].attrs["units"] = "A"
        file["other"] = np.arange(7.0)
    run = open_any(path)
    assert [axis.name for axis in run.record.axes] == ["a_time"]
    assert [(s.of, s.unit) for s in run.record.signals] == [("current", "A"), ("phase", "1")]
    np.testing.assert_array_equal(run.grid("phase_view").value, np.sin(9 * X))
    assert "and 1 like it of 4 arrays" in run.record.description


def test_a_file_too_large_to_show_is_thinned_out(tmp_path):
    path = tmp_path / "long.h5"
    with h5py.File(path, "w") as file:
        file["y"] = np.arange(5_000_000, dtype="i4")
    run = open_any(path)
    assert 1_000_000 <= len(run) <= 2_000_000
    assert "point is shown" in run.record.description


def spoiled(path, spoil):
    with h5py.File(path, "w") as file:
        spoil(file)
    return path


def test_what_cannot_be_shown_says_why(tmp_path):
    layout = h5py.VirtualLayout((10,), "f8")
    layout[:] = h5py.VirtualSource("other.h5", "x", (10,))
    cases = {
        "empty": (lambda file: None, "no array"),
        "text": (lambda file: file.create_dataset("t", data="words"), "no array"),
        "link": (lambda file: file.__setitem__("x", h5py.ExternalLink("/etc/passwd", "/")), "another file"),
        "virtual": (lambda file: file.create_virtual_dataset("v", layout), "borrowed"),
        "huge": (lambda file: file.create_dataset("h", (1 << 36,), "f8", chunks=(1024,)), "far larger"),
    }
    paths = {spoiled(tmp_path / f"{name}.h5", spoil): said for name, (spoil, said) in cases.items()}
    for path, answer in ask_all("foreign", list(paths), 20.0):
        assert isinstance(answer, FileError), path
        assert paths[path] in answer.message
    (tmp_path / "words.h5").write_text("not HDF5")
    with pytest.raises(FileError, match="not an HDF5"):
        open_any(tmp_path / "words.h5")

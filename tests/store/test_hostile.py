"""Files that are none of ours, damaged or hostile are refused: with one line, in bounded time, nothing read."""

import json
import random
import shutil
import time

import h5py
import numpy as np
import pytest

from qlab.errors import FileError
from qlab.store import check_file, list_runs, open_run
from qlab.store.child import ask_all


def external_link(file):
    file["entry/leak"] = h5py.ExternalLink("/etc/passwd", "/")


def soft_link(file):
    file["entry/again"] = h5py.SoftLink("/entry/data")


def external_storage(file):
    file["entry"].create_dataset("leak", (100,), "u1", external=[("/etc/passwd", 0, 100)])


def virtual_dataset(file):
    layout = h5py.VirtualLayout((10,), "f8")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "x", (10,))
    file["entry"].create_virtual_dataset("leak", layout)


def object_references(file):
    file["entry"].create_dataset(
        "refs", data=np.array([file.ref], dtype=h5py.ref_dtype), dtype=h5py.ref_dtype
    )


def opaque(file):
    file["entry"].create_dataset("blob", data=np.void(b"\x80\x04pickle"))


def opaque_attribute(file):
    file["entry"].attrs["blob"] = np.void(b"\x80\x04pickle")


def unknown_filter(file):
    kind = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    kind.set_chunk((10,))
    kind.set_filter(32123, h5py.h5z.FLAG_OPTIONAL, ())
    h5py.h5d.create(file["entry"].id, b"packed", h5py.h5t.NATIVE_DOUBLE, h5py.h5s.create_simple((10,)), kind)


def lzf(file):
    file["entry"].create_dataset("packed", data=np.zeros(100), compression="lzf")


def huge_claim(file):
    file["entry"].create_dataset("huge", (1 << 40,), "f8", chunks=(1024,), compression="gzip")


def huge_chunk(file):
    file["entry"].create_dataset("huge", (1 << 26,), "f8", chunks=(1 << 26,))


def packed_twice(file):
    kind = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    kind.set_chunk((10,))
    kind.set_deflate(4)
    kind.set_deflate(4)
    h5py.h5d.create(file["entry"].id, b"packed", h5py.h5t.NATIVE_DOUBLE, h5py.h5s.create_simple((10,)), kind)


def bomb(file):
    file["entry"].create_dataset("bomb", data=np.zeros(1 << 24), chunks=(1 << 20,), compression="gzip")


def text_array(file):
    file["entry"].create_dataset("texts", data=["a", "b"] * 1000, dtype=h5py.string_dtype())


def depth(file):
    group = file["entry"]
    for _ in range(100):
        group = group.create_group("deeper")


def rank(file):
    file["entry"].create_dataset("many", (1,) * 20, "f8")


def many_groups(file):
    for i in range(21_000):
        file.create_group(f"g{i}")


def odd_name(file):
    file["entry"].create_group("a\u202eb")


def dots(file):
    file["entry"].create_dataset("x\n..", data=1.0)


def long_name(file):
    file["entry"].create_group("x" * 5000)


def huge_attribute(file):
    file.attrs.create("huge", np.zeros(8000, "f8"))
    for i in range(300):
        file.attrs[f"a{i}"] = i


def compound(file):
    file["entry"].create_dataset("c", data=np.zeros(3, dtype=[("a", "f8"), ("b", "i4")]))


def named_type(file):
    file["entry/kind"] = np.dtype("f8")


def no_record(file):
    del file["entry/program"]


def record_that_is_no_json(file):
    del file["entry/program/data"]
    file["entry/program/data"] = np.bytes_(b"[" * 60_000)


def record_of_another_table(file):
    del file["entry/shots/counts"]


def axis_of_one_number(file):
    file["entry/shots"].move("scan_point", "aside")
    file["entry/shots/scan_point"] = 7


def column_of_one_number(file):
    del file["entry/shots/time"]
    file["entry/shots/time"] = 7.0


def record_without_a_column(file):
    data = json.loads(file["entry/program/data"][()])
    data["columns"] = [column for column in data["columns"] if column["name"] != "counts"]
    del file["entry/program/data"]
    file["entry/program/data"] = np.bytes_(json.dumps(data).encode())


def later_version(file):
    file.attrs["format_version"] = "2.0"


def no_version(file):
    file.attrs["format_version"] = np.zeros(3)


def no_run(file):
    del file.attrs["format"]


def changed_value(file):
    file["entry/shots/counts"][3] += 1


HOSTILE = [
    external_link, soft_link, external_storage, virtual_dataset, object_references, opaque, opaque_attribute,
    unknown_filter, lzf, huge_claim, huge_chunk, packed_twice, bomb, text_array, depth, rank, many_groups, odd_name,
    dots, long_name, huge_attribute, compound, named_type, no_record, record_that_is_no_json,
    record_of_another_table, axis_of_one_number, column_of_one_number,
    record_without_a_column, later_version, no_version, no_run, changed_value,
]  # fmt: skip


def test_hostile_files_are_refused_each_with_its_reason(tmp_path, finished):
    paths = {}
    for spoil in HOSTILE:
        paths[spoil] = tmp_path / f"{spoil.__name__}.h5"
        shutil.copyfile(finished, paths[spoil])
        with h5py.File(paths[spoil], "r+", locking=False) as file:
            spoil(file)
    begun = time.monotonic()
    answers = dict(ask_all("inspect", list(paths.values()), 10.0))
    assert time.monotonic() - begun < 30
    for spoil, path in paths.items():
        refused = answers[path]
        assert isinstance(refused, FileError), spoil.__name__
        assert refused.hint, spoil.__name__
        assert "\n" not in str(refused), spoil.__name__
        # The guard has seen it: nothing died, nothing hung.
        assert "reading process" not in refused.message, spoil.__name__
    # It is the shape that is objected to, before any checksum, which whoever changes a file can make anew.
    for spoil in (axis_of_one_number, column_of_one_number, record_without_a_column):
        assert "lacks" in answers[paths[spoil]].message, spoil.__name__


@pytest.mark.parametrize("spoil", [external_link, huge_claim, later_version], ids=lambda f: f.__name__)
def test_a_hostile_file_is_not_opened(finished, spoil):
    with h5py.File(finished, "r+", locking=False) as file:
        spoil(file)
    with pytest.raises(FileError) as caught:
        open_run(finished)
    assert caught.value.exit_code == 2
    assert len(check_file(finished)) == 1


def test_a_group_cycle_is_no_trap(finished):
    with h5py.File(finished, "r+") as file:
        file["entry/data/loop"] = file["entry"]
        file["entry/data/deeper"] = file["/"]
    begun = time.monotonic()
    with pytest.raises(FileError, match="stands elsewhere too"):
        open_run(finished)
    assert time.monotonic() - begun < 10


def test_what_is_no_run_file_says_so(tmp_path, finished):
    text = tmp_path / "notes.h5"
    text.write_text("not HDF5")
    empty = tmp_path / "empty.h5"
    empty.touch()
    short = tmp_path / "short.h5"
    short.write_bytes(finished.read_bytes()[:-500])
    for path, said in (
        (text, "not an HDF5 file"), (empty, "is empty"), (short, "cut short"), (tmp_path, "folder"),
        (tmp_path / "none.h5", "no file"), (tmp_path / "none.part.h5", "no file"),
    ):  # fmt: skip
        with pytest.raises(FileError, match=said):
            open_run(path)
        assert len(check_file(path)) == 1


@pytest.mark.parametrize("count", [16, pytest.param(600, marks=pytest.mark.nightly)])
def test_flipped_bits_never_pass_and_never_hang(tmp_path, finished, count):
    whole = finished.read_bytes()
    chance = random.Random(7)
    folder = tmp_path / "mutants"
    folder.mkdir()
    for i in range(count):
        raw = bytearray(whole)
        for _ in range(3):
            raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
        (folder / f"m{i}.h5").write_bytes(raw)
    begun = time.monotonic()
    assert len(list_runs(folder)) == count
    good = open_run(finished)
    for path, answer in ask_all("inspect", sorted(folder.iterdir()), 10.0):
        if not isinstance(answer, FileError):
            with h5py.File(path) as file:
                np.testing.assert_array_equal(file["entry/shots/counts"][:], good["counts"])
    assert time.monotonic() - begun < 60 + 2 * count

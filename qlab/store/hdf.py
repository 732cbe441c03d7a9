"""HDF5 files handled with care: room reserved before it is needed, and a clean end after a failed write."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from qlab.errors import RecordingError

SLACK = 64 * 1024  # for HDF5's own bookkeeping beside the data of one hand-over
SIGNATURE = b"\x89HDF\r\n\x1a\n"
_TARGET = 64 * 1024


def reserve(file: h5py.File, size: int) -> None:
    """Claim room for `size` more bytes behind the file's end; raise OSError (ENOSPC) where there is none.

    HDF5 must never meet a full disk: it can neither close such a file nor leave the process alive.
    """
    descriptor, end = file.id.get_vfd_handle(), file.id.get_filesize()
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(descriptor, end, size + SLACK)
        except OSError as error:
            if error.errno not in {errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS, errno.ENODEV}:
                raise
        else:
            return
    if shutil.disk_usage(Path(file.filename).parent).free < size + 4 * SLACK:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.ftruncate(descriptor, max(end + size + SLACK, os.fstat(descriptor).st_size))


@contextmanager
def careful(file: h5py.File) -> Iterator[h5py.File]:
    """Use a file that is written once; a failure leaves a worthless file but a living process."""
    try:
        yield file
        file.flush()
    except BaseException:
        divert(file)
        raise
    finally:
        file.close()


def stated_end(start: bytes) -> int:
    """Return the length of a file that its first bytes (the superblock) state, 0 where they do not."""
    place = {0: 40, 1: 44, 2: 28, 3: 28}.get(start[8] if len(start) >= 64 else 255)
    return 0 if place is None else int.from_bytes(start[place : place + 8], "little")


def trim(path: Path) -> None:
    """Give back what was reserved behind the end of a closed file."""
    with path.open("rb+") as file:
        end = stated_end(file.read(64))
        if end:
            file.truncate(min(end, os.fstat(file.fileno()).st_size))


def divert(file: h5py.File) -> None:
    """Send what HDF5 still wants to write to nowhere.

    After a failed write it tries again at each close and at the end of the process, and dies of it.
    """
    if hasattr(os, "memfd_create"):
        nowhere = os.memfd_create("qlab-nowhere")
    else:
        nowhere, path = tempfile.mkstemp()
        Path(path).unlink()
    try:
        os.dup2(nowhere, file.id.get_vfd_handle(), inheritable=False)
    finally:
        os.close(nowhere)


def chunks(row: tuple[int, ...], itemsize: int, rows: int = 0) -> tuple[int, ...]:
    """Return a chunk shape of 16 to 512 KiB for rows of shape `row`; `rows` is how many are expected."""
    width = itemsize * int(np.prod(row, dtype=np.int64)) if row else itemsize
    if width <= 8 * _TARGET:
        target = _TARGET if rows * width > 16 * _TARGET else _TARGET // 4
        return (max(1, -(-target // max(width, 1))), *(max(n, 1) for n in row))
    inner = list(row)
    for axis in range(len(inner)):
        rest = itemsize * int(np.prod(inner[axis + 1 :], dtype=np.int64))
        inner[axis] = max(1, min(inner[axis], _TARGET * 4 // max(rest, 1)))
        if inner[axis] > 1:
            break
    return (1, *inner)


def cubes(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Return a chunk shape of about 32 KiB whose sides are alike, for an array that is sliced along any axis."""
    sides = [1] * len(shape)
    while int(np.prod(sides)) * itemsize < _TARGET // 2:
        free = [i for i, side in enumerate(sides) if side < shape[i]]
        if not free:
            break
        shortest = min(free, key=lambda i: sides[i])
        sides[shortest] = min(2 * sides[shortest], shape[shortest])
    return tuple(sides)


def fixed(text: str | bytes, size: int = 0) -> NDArray[Any]:
    """Return text as a fixed-length UTF-8 scalar (`size` bytes, else as long as it is)."""
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
    if size:
        raw = raw[: size - 1].decode("utf-8", "ignore").encode()
    # Always ended by a zero: netCDF-C reads on until it finds one.
    return np.array(raw, dtype=h5py.string_dtype("utf-8", size or len(raw) + 1))


def document(group: h5py.Group, name: str, raw: bytes, media: str, *, nx_class: str = "NXnote") -> h5py.Group:
    """Add a document as an NXnote: `type` and `data`, a fixed-length text that every reader shows."""
    reserve(group.file, len(raw))
    note = group.create_group(name)
    note.attrs["NX_class"] = nx_class
    note["type"] = media
    note.create_dataset("data", data=fixed(raw))
    return note


def no_room(error: BaseException, where: Path) -> RecordingError:
    """Return the error that tells a person that rows could not be written, and why."""
    text = str(error)
    number = getattr(error, "errno", None)
    if number in {errno.ENOSPC, errno.EDQUOT} or "No space left" in text or "errno = 28" in text:
        what, hint = "the disk is full", "Free some space, or choose another folder, and run again."
    elif number == errno.EFBIG or "errno = 27" in text:
        what, hint = (
            "the file may not grow further",
            "Raise the file-size limit of this account, and run again.",
        )
    else:
        what = os.strerror(number) if number else text.splitlines()[0][:120] if text else type(error).__name__
        hint = "Check the disk, or choose another folder, and run again."
    return RecordingError(f"Rows could not be written to {where.name}: {what}.", hint)

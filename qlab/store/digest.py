"""The checksum of what a file holds, independent of how HDF5 lays it out."""

import hashlib
from collections.abc import Iterator

import h5py
import numpy as np

_PIECE = 4 << 20


def content_sha256(file: h5py.File) -> str:
    """Return the SHA-256 over path, dtype, shape and little-endian bytes of each dataset below /entry.

    In path order, each dataset once; `metadata` is left out because it quotes this number.
    """
    total = hashlib.sha256()
    seen: set[int] = set()
    for path, dataset in sorted(_datasets(file["entry"], "/entry")):
        address = h5py.h5o.get_info(dataset.id).addr
        if address in seen or path.startswith("/entry/metadata/"):
            continue
        seen.add(address)
        text = h5py.check_string_dtype(dataset.dtype) is not None
        kind = "text" if text else dataset.dtype.newbyteorder("<").str
        total.update(f"{path}\0{kind}\0{dataset.shape}\0".encode())
        for piece in _pieces(dataset):
            total.update(piece)
    return total.hexdigest()


def _datasets(group: h5py.Group, path: str) -> Iterator[tuple[str, h5py.Dataset]]:
    for name in group:
        item = group[name]
        if isinstance(item, h5py.Group):
            yield from _datasets(item, f"{path}/{name}")
        elif isinstance(item, h5py.Dataset):
            yield f"{path}/{name}", item


def _pieces(dataset: h5py.Dataset) -> Iterator[bytes]:
    if dataset.shape == ():
        value = dataset[()]
        yield (
            value
            if isinstance(value, bytes)
            else np.asarray(value).astype(dataset.dtype.newbyteorder("<")).tobytes()
        )
        return
    width = max(1, dataset.dtype.itemsize * int(np.prod(dataset.shape[1:], dtype=np.int64)))
    step = max(1, _PIECE // width)
    for start in range(0, dataset.shape[0], step):
        values = np.ascontiguousarray(dataset[start : start + step])
        yield values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()

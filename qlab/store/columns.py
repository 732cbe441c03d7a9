"""Columns: how those of a record stand in a file, and whether a block fits them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from qlab.errors import RecordingError, UsageError
from qlab.record import Column, Record
from qlab.store.names import NAME, RESERVED
from qlab.store.storedunits import has_root

Part = Literal["", "real", "imag"]
_KINDS = {"u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8", "c8", "c16", "b1"}
_RESERVED = {"scan_point", "title"}


class Table(Protocol):
    """What has columns: a record, for its rows, or a stream."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns."""
        ...

    @property
    def expected_rows(self) -> int:
        """How many rows are expected, 0 where nobody knows."""
        ...

    def column(self, name: str) -> Column:
        """Return the column of this name."""
        ...


@dataclass(frozen=True)
class Stored:
    """One dataset of the table of rows: a column, or the real or imaginary part of one."""

    name: str
    column: Column
    dtype: np.dtype[Any]
    part: Part = ""

    @property
    def row_bytes(self) -> int:
        """The size of one row."""
        return int(self.dtype.itemsize * np.prod(self.column.shape, dtype=np.int64))

    def of(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return what of a column's values stands in this dataset."""
        taken = values.real if self.part == "real" else values.imag if self.part == "imag" else values
        return np.ascontiguousarray(taken, dtype=self.dtype)


def natural_dtype(column: Column) -> np.dtype[Any]:
    """Return the dtype that a column has for its readers."""
    try:
        return np.dtype(column.dtype).newbyteorder("<")
    except (TypeError, ValueError):
        raise UsageError(
            f"Column {column.name!r} has the type {column.dtype!r}.", "Use f8, i4, u4, c16 ..."
        ) from None


def stored(column: Column) -> tuple[Stored, ...]:
    """Return the datasets of a column: NXdata takes neither complex numbers nor booleans."""
    dtype = natural_dtype(column)
    if dtype.kind == "c":
        half = np.dtype(f"<f{dtype.itemsize // 2}")
        return (
            Stored(f"{column.name}_real", column, half, "real"),
            Stored(f"{column.name}_imag", column, half, "imag"),
        )
    return (Stored(column.name, column, np.dtype("i1") if dtype.kind == "b" else dtype),)


def all_stored(record: Table) -> Iterator[Stored]:
    """Yield every dataset of the table of rows, in the order of the columns."""
    for column in record.columns:
        yield from stored(column)


def dimensions(record: Table) -> dict[str, int]:
    """Return the further fixed dimensions of the rows by name."""
    return {name: size for column in record.columns for name, size in _dims(column)}


def dim_names(column: Column) -> tuple[str, ...]:
    """Return the names of a column's further dimensions, made up where it gives none."""
    return tuple(name for name, _ in _dims(column))


def _dims(column: Column) -> Iterator[tuple[str, int]]:
    for index, size in enumerate(column.shape):
        yield column.dims[index] if index < len(column.dims) else f"{column.name}_{index + 1}", size


def check_columns(record: Record) -> None:
    """Raise UsageError where a record cannot become a file: names, types, dimensions and units."""
    _check_table(record, _RESERVED)
    for name in (*(axis.name for axis in record.axes), *(signal.name for signal in record.signals)):
        if not NAME.fullmatch(name):
            raise UsageError(
                f"An axis or signal cannot be called {name!r}.", "Use letters, digits, underscores."
            )
    for index, stream in enumerate(record.streams):
        before = {other.name for other in record.streams[:index]}
        usable = stream.name == "timetags" or stream.name not in RESERVED
        if not usable or not NAME.fullmatch(stream.name) or stream.name in before:
            raise UsageError(
                f"A stream cannot be called {stream.name!r}.",
                "Call it timetags, upkeep_1 or a new plain name.",
            )
        if not NAME.fullmatch(stream.axis) or not stream.columns:
            raise UsageError(f"The stream {stream.name!r} lacks an axis or columns.", "Give it both.")
        _check_table(stream, {stream.axis, "title"})


def _check_table(table: Table, taken: set[str]) -> None:
    seen: set[str] = set(taken)
    sizes: dict[str, int] = {}
    for item in all_stored(table):
        column = item.column
        if not NAME.fullmatch(item.name) or item.name in seen:
            raise UsageError(
                f"A column cannot be called {item.name!r}.",
                "Use letters, digits and underscores, each name once; scan_point and title are taken.",
            )
        seen.add(item.name)
        if natural_dtype(column).str.lstrip("<|=") not in _KINDS:
            raise UsageError(
                f"Column {column.name!r} has the type {column.dtype!r}.", "Use f8, i4, u4, c16 ..."
            )
        if has_root(column.unit):
            raise UsageError(
                f"Column {column.name!r} has the unit {column.unit!r}, which no file can carry.",
                "Record the square of it, for example a noise power density in T2/Hz.",
            )
        for name, size in _dims(column):
            if not NAME.fullmatch(name) or sizes.setdefault(name, size) != size or size < 1:
                raise UsageError(
                    f"Dimension {name!r} of column {column.name!r} is not usable.",
                    "Give each dimension a plain name and one size throughout the run.",
                )
    if clash := seen & set(sizes):
        raise UsageError(f"{clash.pop()!r} is both a column and a dimension.", "Rename one of them.")


class Fitter:
    """Fits blocks of whole rows to the columns of a record. Made once for a run: a row a call has to be cheap."""

    def __init__(self, record: Table) -> None:
        self._columns = tuple(
            (column, natural_dtype(column), column.shape, items, _plain(column, items))
            for column, items in ((column, stored(column)) for column in record.columns)
        )
        self._names = {column.name for column in record.columns}
        self.row_bytes = sum(item.row_bytes for item in all_stored(record))

    def fit(self, block: Mapping[str, NDArray[Any]]) -> tuple[int, dict[str, NDArray[Any]]]:
        """Return (rows, datasets) of a block, copied; raise RecordingError where it does not fit.

        A value that the column's dtype cannot hold is refused, never wrapped.
        """
        if block.keys() != self._names:
            raise _misnamed(self._names, block)
        rows = -1
        fitted: dict[str, NDArray[Any]] = {}
        for column, dtype, shape, items, plain in self._columns:
            values = np.asarray(block[column.name])
            size = values.shape
            if size[1:] != shape or not size:
                raise _misshapen(column, values)
            if size[0] != rows:
                if rows >= 0:
                    raise RecordingError(
                        f"Column {column.name!r} has {size[0]} rows, others have {rows}.", "Yield whole rows."
                    )
                rows = size[0]
            if plain and values.dtype == dtype:
                fitted[plain] = values.copy()
                continue
            values = _fitted(column, values)
            for item in items:
                fitted[item.name] = np.array(item.of(values))
        return max(rows, 0), fitted


def _plain(column: Column, items: tuple[Stored, ...]) -> str:
    """Return the dataset of a column that is stored as it comes, or nothing."""
    return items[0].name if len(items) == 1 and items[0].dtype == natural_dtype(column) else ""


def _misnamed(names: set[str], block: Mapping[str, NDArray[Any]]) -> RecordingError:
    if missing := names - set(block):
        return RecordingError(
            f"A block lacks the column {sorted(missing)[0]!r}.", "Yield every declared column."
        )
    strange = set(block) - names
    return RecordingError(f"A block has an unknown column {sorted(strange)[0]!r}.", "Declare it first.")


def _misshapen(column: Column, values: NDArray[Any]) -> RecordingError:
    return RecordingError(
        f"Column {column.name!r} came with the shape {values.shape}.",
        f"A block of whole rows has the shape (rows, {', '.join(map(str, column.shape))})."
        .replace(", )", ",)"),
    )  # fmt: skip


def _fitted(column: Column, values: NDArray[Any]) -> NDArray[Any]:
    dtype = natural_dtype(column)
    if values.dtype == dtype:
        return values
    if values.dtype.kind not in "biufc":
        raise RecordingError(
            f"Column {column.name!r} came as {values.dtype}, not as numbers.", "Yield numbers."
        )
    with np.errstate(all="ignore"):
        if values.dtype.kind == "c" and dtype.kind != "c" and values.imag.any():
            raise _unfit(column, values[values.imag != 0].flat[0])
        plain = values.real if values.dtype.kind == "c" and dtype.kind != "c" else values
        cast = plain.astype(dtype)
        wrong = _wrong(plain, cast)
    if wrong.any():
        raise _unfit(column, plain[wrong].flat[0])
    return cast


def _wrong(values: NDArray[Any], cast: NDArray[Any]) -> NDArray[np.bool_]:
    if values.dtype.kind in "fc" and cast.dtype.kind in "fc":
        # Rounding to a shorter float is its nature; turning a number into infinity is not.
        return np.asarray(np.isfinite(values) & ~np.isfinite(cast), dtype=bool)
    changed = (cast.astype(values.dtype) != values) | ((values < 0) != (cast < 0))
    if values.dtype.kind == "f":
        # The limits are looked at before the cast: 2**63 as a float compares equal to what it wraps to.
        low, high = (0, 1) if cast.dtype.kind == "b" else (np.iinfo(cast.dtype).min, np.iinfo(cast.dtype).max)
        changed |= ~((values >= float(low)) & (values < float(high) + 1.0))
    return np.asarray(changed, dtype=bool)


def _unfit(column: Column, value: Any) -> RecordingError:
    return RecordingError(
        f"The value {value} of column {column.name!r} does not fit its type {column.dtype}.",
        "Give the column a wider type; nothing is ever cut or wrapped on the way to the file.",
    )

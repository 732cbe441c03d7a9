"""Parquet: every row of a run as one table, units and long names in the schema."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from qlab.errors import UsageError
from qlab.export.writing import attributes, whole
from qlab.grid import Rows
from qlab.record import Column
from qlab.runs import Run
from qlab.store.columns import dim_names, stored
from qlab.store.crate import crate
from qlab.store.storedunits import qudt_uri, stored_unit


def export(run: Run, path: Path) -> Path:
    """Write all rows as Parquet (extra `export`): arrays per row as fixed-size lists, complex numbers as two columns.

    Each field carries `units`, `long_name`, `role` and its QUDT identifier; the table carries the descriptive
    attributes and the JSON-LD record. Each stream (time tags, upkeep) is a table of its own, `NAME.STREAM.parquet`.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise UsageError(
            "pyarrow is not installed.", 'Install the extra: pip install "qlab-metrology[export]".'
        ) from error
    name = run.path.name if run.path else "run.h5"
    master = json.dumps(crate(run.record, name, len(run), ""), ensure_ascii=False)
    about = {**attributes(run), "ro-crate": master}
    tables = {path: _table(run.record.columns, run.rows, "scan_point", about, pa)}
    for stream in run.record.streams:
        beside = path.with_name(f"{path.stem}.{stream.name}{path.suffix}")
        tables[beside] = _table(stream.columns, run.streams[stream.name], stream.axis, about, pa)
    for target, table in tables.items():
        with whole(target) as place:
            pq.write_table(table, place, compression="zstd")
    return path


def _table(columns: Iterable[Column], rows: Rows, axis: str, descriptive: dict[str, str], pa: Any) -> Any:
    fields: list[Any] = []
    arrays: list[Any] = []
    for column in columns:
        values = np.asarray(rows.column(column.name))[: len(rows)]
        for item in stored(column):
            array = _array(item.of(values), pa)
            unit = stored_unit(column.unit)
            about = {
                "units": unit, "long_name": column.long_name or column.name, "role": column.role,
                "units_uri": qudt_uri(unit), "dimensions": " ".join((axis, *dim_names(column))),
            }  # fmt: skip
            fields.append(pa.field(item.name, array.type, metadata={k: v for k, v in about.items() if v}))
            arrays.append(array)
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, descriptive))


def _array(values: Any, pa: Any) -> Any:
    array = pa.array(np.ascontiguousarray(values).reshape(-1))
    for size in reversed(values.shape[1:]):
        array = pa.FixedSizeListArray.from_arrays(array, int(size))
    return array

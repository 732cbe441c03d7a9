"""Documents: JSON that every reader takes, with a way for the numbers that JSON lacks."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ValidationError

from qlab.errors import FileError
from qlab.record import Record

_ODD = "$float"  # NaN and the infinities are written {"$float": "nan"}: JSON has no word for them


def dump(data: Any, *, indent: int | None = None) -> bytes:
    """Return data as strict UTF-8 JSON; models, numpy values and paths become plain data."""
    text = json.dumps(_plain(data), allow_nan=False, ensure_ascii=False, indent=indent)
    return text.encode("utf-8", "backslashreplace")


def load(text: bytes | str) -> Any:
    """Return what `dump` wrote; raise FileError where it is no JSON or is nested without end."""
    try:
        return json.loads(text, object_hook=_odd, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise FileError(f"A document in the file is not JSON ({error}).", "The file is damaged.") from error


def load_record(data: Any) -> Record:
    """Return a record from its plain data; raise FileError where something essential is missing."""
    try:
        return Record.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise FileError(
            f"The record in the file does not hold together ({where}: {first['msg']}).",
            "The file is damaged, or was not written by qlab.",
        ) from error


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return _plain(value.model_dump())
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, complex):
        return [_plain(value.real), _plain(value.imag)]
    if isinstance(value, float) and not math.isfinite(value):
        return {_ODD: str(value)}
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return value.as_posix() if isinstance(value, Path) else str(value)


def _odd(table: dict[str, Any]) -> Any:
    if len(table) == 1 and table.get(_ODD) in ("nan", "inf", "-inf"):
        return float(table[_ODD])
    return table


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON number")

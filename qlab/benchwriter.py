"""Writing a bench file: TOML that a person would have written, read back before it takes the place of the old one."""

import json
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from qlab.benchfile import BenchEntry, read_bench
from qlab.errors import FileError, UsageError

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_INLINE = {"options", "sample", "truth"}  # short tables that stand in one line


def plain(entry: BenchEntry) -> dict[str, Any]:
    """Return what a bench file says beyond the defaults, without its name, which is that of the file."""
    data: dict[str, Any] = entry.model_dump(mode="json", exclude_defaults=True)
    data.pop("name", None)
    return data


def bench_text(data: Mapping[str, Any]) -> str:
    """Return a bench as TOML, its tables in the order in which a bench is read: world, instruments, roles, the rest."""
    order = ("title", "platform", "world", "instruments", "roles", "sample", "samples")
    known = [key for key in order if key in data] + [key for key in data if key not in order]
    return "\n".join(_table({key: data[key] for key in known}, ())).strip() + "\n"


def write_bench(path: Path | str, data: Mapping[str, Any]) -> BenchEntry:
    """Write a bench file in one step, the old one kept as NAME.toml.bak; return what it says.

    Raises UsageError where it would not be a bench, FileError where the file cannot be written.
    """
    path = Path(path)
    if path.suffix != ".toml":
        raise UsageError(f"{path.name} is no name for a bench file.", "Call it NAME.toml.")
    draft = path.with_name(f".{path.stem}.{os.getpid()}.toml")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(bench_text(data), encoding="utf-8")
        try:
            entry = read_bench(draft)
        except UsageError as error:
            said = error.message.replace(draft.name, path.name)
            raise UsageError(said, error.hint) from None
        if path.exists():
            path.replace(path.with_name(path.name + ".bak"))
        draft.replace(path)
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror}.", "Choose another folder.") from error
    finally:
        draft.unlink(missing_ok=True)
    return entry.model_copy(update={"name": path.stem})


def _table(data: Mapping[str, Any], place: tuple[str, ...]) -> Iterator[str]:
    """Yield the lines of a table: its values first, then the tables within it."""
    tables = {k: v for k, v in data.items() if isinstance(v, Mapping) and k not in _INLINE}
    lists = {k: v for k, v in data.items() if _of_tables(v)}
    values = {k: v for k, v in data.items() if k not in tables and k not in lists and v is not None}
    headed = bool(place) and bool(values or not (tables or lists))
    if headed:
        yield f"[{'.'.join(map(_key, place))}]"
    for key, value in values.items():
        yield f"{_key(key)} = {value_text(value)}"
    if values or headed:
        yield ""
    for key, value in tables.items():
        if value:
            yield from _table(value, (*place, key))
    for key, items in lists.items():
        for item in items:
            yield f"[[{'.'.join(map(_key, (*place, key)))}]]"
            yield from (f"{_key(k)} = {value_text(v)}" for k, v in item.items() if v is not None)
            yield ""


def _of_tables(value: Any) -> bool:
    return isinstance(value, Sequence) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def value_text(value: Any) -> str:
    """Return a value as TOML has it, a table in one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(str(k))} = {value_text(v)}" for k, v in value.items() if v is not None)
        return f"{{{inside}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(value_text, value))}]"
    # JSON's escapes are those of TOML's basic strings, but for DEL, which it leaves as it is.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")

"""What the bench editor asks of a process of its own: drivers run there, never in the window."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def look_around() -> tuple[list[Any], list[str], list[str], dict[str, str]]:
    """Return the drivers (`qlab.trial.DriverCard`), the roles, the worlds, and which preset shows each world."""
    from qlab.registry import plugins
    from qlab.trial import drivers, roles

    presets: dict[str, str] = {}
    for name, plugin in plugins("benches").items():
        with contextlib.suppress(Exception):  # a broken preset is told by the doctor
            presets.setdefault(str(plugin.load()().get("world", {}).get("kind", "")), name)
    return drivers(), list(roles()), list(plugins("worlds")), presets


def addresses() -> list[tuple[str, str]]:
    """Return (address, what it says) of whoever answers."""
    from qlab.trial import addresses as found

    return found()


def try_out(data: Mapping[str, Any], name: str) -> Any:
    """Return what an instrument says of itself (`qlab.trial.Answer`)."""
    from qlab.trial import try_out as asked

    return asked(data, name)


def read(what: str) -> dict[str, Any]:
    """Return a preset or a bench file as data."""
    from qlab.benchfile import read_bench
    from qlab.benchwriter import plain

    return plain(read_bench(what))


def write(path: str, data: Mapping[str, Any]) -> str:
    """Write a bench file, made once before so that what cannot be made is told; return its path."""
    from qlab.bench import Bench
    from qlab.benchwriter import write_bench
    from qlab.trial import entry_of

    Bench(entry_of(data), None, {}, path)
    write_bench(Path(path), data)
    return path

"""What is installed: experiments, instruments, worlds, benches, fits and exporters, found by entry point."""

import difflib
import importlib
import importlib.util
import os
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal

from qlab.errors import UsageError

Kind = Literal["experiments", "instruments", "worlds", "benches", "fits", "exporters", "finders"]
KINDS: tuple[Kind, ...] = ("experiments", "instruments", "worlds", "benches", "fits", "exporters", "finders")


@dataclass(frozen=True)
class Plugin:
    """One thing that can be loaded by name. Listing imports nothing."""

    kind: str
    name: str
    target: str
    distribution: str

    def load(self) -> Any:
        """Import it and return the object; raise UsageError with the reason where it is broken."""
        try:
            module, _, attribute = self.target.partition(":")
            return getattr(importlib.import_module(module), attribute)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            raise UsageError(
                f"The {self.kind.rstrip('s')} {self.name!r} of {self.distribution} is broken: {reason}.",
                "Run `qlab doctor` to see every plug-in and its state.",
            ) from error


def drop_in_folder() -> Path:
    """Return the folder for a lab's own plug-in files (`QLAB_PLUGINS`, or `plugins` beside the settings)."""
    if given := os.environ.get("QLAB_PLUGINS"):
        return Path(given)
    from qlab.settings import config_folder

    return config_folder() / "plugins"


_OFFERED: dict[tuple[str, str], Any] = {}


def offer(kind: Kind, name: str, thing: Any) -> None:
    """Make an object of this session (a notebook's own world, say) loadable by name, as a plug-in file would."""
    _OFFERED[kind, name] = thing
    plugins.cache_clear()


@dataclass(frozen=True)
class Offered(Plugin):
    """What this session itself has offered; it is gone with it."""

    def load(self) -> Any:
        """Return the object."""
        return _OFFERED[self.kind, self.name]


@cache
def plugins(kind: str) -> dict[str, Plugin]:
    """Return what is installed of one kind, by name, without importing any of it."""
    found = {
        entry.name: Plugin(kind, entry.name, entry.value, entry.dist.name if entry.dist else "unknown")
        for entry in entry_points(group=f"qlab.{kind}")
    }
    folder = drop_in_folder() / kind
    for file in sorted(folder.glob("*.py")) if folder.is_dir() else ():
        if not file.name.startswith("_"):
            found[file.stem] = DropIn(kind, file.stem, str(file), "the drop-in folder")
    for of, name in _OFFERED:
        if of == kind:
            found[name] = Offered(kind, name, "", "this session")
    return dict(sorted(found.items()))


@dataclass(frozen=True)
class DropIn(Plugin):
    """A lab's own file in the drop-in folder: what it offers is its `plugin` variable."""

    def load(self) -> Any:
        """Import the file and return its `plugin`; raise UsageError with the reason where it is broken."""
        name = f"qlab_dropin_{self.kind}_{self.name}"
        try:
            spec = importlib.util.spec_from_file_location(name, self.target)
            if spec is None or spec.loader is None:
                raise ImportError(self.target)
            module = importlib.util.module_from_spec(spec)
            sys.modules[name] = module
            spec.loader.exec_module(module)
            return module.plugin
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            raise UsageError(
                f"The drop-in file {Path(self.target).name} is broken: {reason}.", "Mend or move it."
            ) from error


def load(kind: Kind, name: str) -> Any:
    """Return what is installed under a name; raise UsageError with "did you mean" where there is nothing."""
    known = plugins(kind)
    if name not in known:
        close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
        hint = f"Did you mean {close[0]!r}?" if close else f"Run `qlab list {kind}` to see what there is."
        raise UsageError(f"There is no {kind.rstrip('s').replace('benche', 'bench')} {name!r}.", hint)
    return known[name].load()

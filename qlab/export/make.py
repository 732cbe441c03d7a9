"""Making an export: the run with its sidecar, redacted or under a later profile where asked, by an exporter."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

from qlab.errors import FileError, UsageError
from qlab.export.endings import ENDINGS, format_of
from qlab.export.merge import merged
from qlab.export.redact import redact
from qlab.profile import Profile
from qlab.record import Record
from qlab.registry import load
from qlab.runs import Run
from qlab.store import open_run

_OURS = (".h5", ".hdf5", ".aside", ".notes.json")


def make(
    file: Path,
    out: Path,
    to: str = "",
    *,
    redacted: bool = False,
    also: Iterable[str] = (),
    profile: Profile | None = None,
) -> Path:
    """Write a run in another format and return where; the run itself is never changed.

    `to` names an exporter; without it the ending of `out` does. A redacted copy with neither is a run file again.
    `also` are further words to take out. `profile` fills what the run's own profile left empty. Raises FileError
    or UsageError.
    """
    to = to or format_of(out.name)
    exporter = load("exporters", to) if to else None
    if exporter is None and not redacted:
        raise UsageError(
            f"The name {out.name} does not say in which format.",
            f"Give --to, or an ending: {' '.join(ENDINGS)}; --redact alone takes personal data out.",
        )
    run = merged(open_run(file))
    path = Path(run.path or file)
    if out.resolve() == path.resolve():
        raise FileError("That would replace the run itself.", "Give another name.")
    if out.exists() and out.name.lower().endswith(_OURS):
        # Another run, or what was said of one: measured data are never written over.
        raise FileError(f"{out} is there already, and may be a run or its notes.", "Give a new name.")
    if profile is not None:
        run = Run(filled(run.record, profile), run.rows, run.path)
    if not redacted:
        return _checked(exporter(run, out) if exporter else out)
    if exporter is None:
        if out.exists():
            raise FileError(f"{out} is there already.", "Give a new name.")
        return redact(run, out, also)
    with tempfile.TemporaryDirectory() as folder:
        clean = redact(run, Path(folder) / path.name, also)
        return _checked(exporter(open_run(clean), out))


def _checked(made: object) -> Path:
    return Path(str(made))


def filled(record: Record, profile: Profile) -> Record:
    """Return a record with what its own profile left empty taken from another one."""
    own = record.profile.model_dump()
    other = profile.model_dump()
    empty = {
        key: other[key]
        for key, value in own.items()
        if not value or (key == "sample" and not any(value.values()))
    }
    return record.model_copy(update={"profile": Profile.model_validate({**own, **empty})})

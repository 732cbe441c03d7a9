"""The spool: a local folder for runs whose own folder is on a network or failed, and their way home."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import h5py

from qlab.errors import FileError
from qlab.settings import default_spool
from qlab.store.document import load
from qlab.store.names import ASIDE, DRAFT, FINAL, HOME, PART, sidecar_path, stem
from qlab.store.place import mount_point
from qlab.store.synced import discard, sync_folder

_PIECE = 8 << 20


def spool_folder(given: Path | None = None) -> Path | None:
    """Return the folder for runs whose own folder failed, made where it is missing; None where that fails."""
    try:
        folder = given or default_spool()
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder


def note_home(spooled: Path, home: Path, run: str, drive: Path | None = None) -> None:
    """Write beside a spooled file into which folder its run belongs, and where the drive of that was attached."""
    text = json.dumps({"folder": str(home.absolute()), "id": run, "drive": str(drive or mount_point(home))})
    _home_note(spooled).write_text(text, encoding="utf-8")


def forget_home(spooled: Path) -> None:
    """Remove what `note_home` wrote: the run is at home."""
    _home_note(spooled).unlink(missing_ok=True)


def home_of(spooled: Path) -> tuple[Path, str] | None:
    """Return (folder, run id) of a spooled file; None where nothing says so."""
    try:
        given = load(_home_note(spooled).read_bytes()[:65536])
        return Path(str(given["folder"])), str(given["id"])
    except (OSError, FileError, LookupError, TypeError):
        return None


def connected(spooled: Path) -> bool:
    """Tell whether the folder of a spooled run can be reached.

    Where a drive is not attached, the empty folder that waits for it is no home: what was put there would be out of
    sight once the drive is back.
    """
    home = home_of(spooled)
    if home is None or not home[0].parent.is_dir():
        return False
    given = load(_home_note(spooled).read_bytes()[:65536])
    return os.path.ismount(str(given.get("drive", "/")))


def spooled_below(folder: Path, spool: Path | None) -> Iterator[Path]:
    """Yield the spooled files, growing and finished, whose runs belong below a folder."""
    if spool is None:
        return
    for note in sorted(spool.glob(f"*{HOME}")):
        name = note.name.removesuffix(HOME)
        for path in (spool / f"{name}{PART}", spool / f"{name}{FINAL}"):
            if not path.exists():
                continue
            home = home_of(path)
            if home is not None and home[0].resolve().is_relative_to(folder.resolve()):
                yield path


def twin(part: Path, spool: Path | None) -> Path | None:
    """Return the spooled file of the run whose growing file this is, the finished one first; None without one."""
    if spool is None or part.parent.resolve() == spool.resolve():
        return None
    for path in (spool / f"{stem(part)}{FINAL}", spool / f"{stem(part)}{PART}"):
        if path.exists() and home_of(path) is not None:
            return path
    return None


def deliver(spooled: Path) -> Path | None:
    """Bring a finished spooled run home; return where it then stands, None where its folder is not there.

    A copy, compared and in place before the spooled file goes. Raises FileError where another run has the name.
    """
    home = home_of(spooled)
    if home is None or not connected(spooled):
        return None
    folder, run = home
    target = folder / spooled.name
    try:
        folder.mkdir(exist_ok=True)
        if target.exists() and not _is_run(target, run):
            raise FileError(f"{target} exists already and is another run.", "Move one of the two away.")
        if not target.exists():
            _copy(spooled, target)
        notes = sidecar_path(spooled)
        if notes.exists() and not sidecar_path(target).exists():
            _copy(notes, sidecar_path(target))
        notes.unlink(missing_ok=True)
        spooled.unlink()
        forget_home(spooled)
        set_aside(target.with_name(stem(target) + PART))
    except OSError:
        return None
    return target


def set_aside(part: Path) -> None:
    """Give a growing file that a complete one has made stale a name under which nobody recovers it."""
    if part.exists():
        number = 1
        while (aside := part.with_name(f"{part.name}{ASIDE}{number if number > 1 else ''}")).exists():
            number += 1
        part.replace(aside)


def _home_note(spooled: Path) -> Path:
    return spooled.with_name(stem(spooled) + HOME)


def _is_run(path: Path, run: str) -> bool:
    with h5py.File(path, "r", locking="best-effort") as file:
        return str(file.attrs.get("id", "")) == run


def _copy(source: Path, target: Path) -> None:
    draft = target.with_name(target.name + DRAFT)
    try:
        with source.open("rb") as old, draft.open("wb") as new:
            shutil.copyfileobj(old, new, _PIECE)
            new.flush()
            os.fsync(new.fileno())
        if draft.stat().st_size != source.stat().st_size:
            raise OSError("the copy is short")
        draft.replace(target)
        sync_folder(target.parent)
    finally:
        discard(draft)

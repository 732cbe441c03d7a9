"""Walking a tree of runs: its folders, what changed in them since they were looked into, and the run files there."""

import os
from collections.abc import Iterator

from qlab.store.indexfile import Mark
from qlab.store.names import FINAL, NOTES, PART

_SETTLED_NS = 2_000_000_000  # a folder that changed so long ago shows every later change in its time


def folders_below(root: str, known: dict[str, tuple[str, int, int]]) -> Iterator[tuple[str, str, int]]:
    """Yield (path, parent, time of change) of each folder; the content of an unchanged one is known."""
    below: dict[str, list[str]] = {}
    for path, (parent, _, _) in known.items():
        below.setdefault(parent, []).append(path)
    pending = [(root, "")]
    while pending:
        path, parent = pending.pop()
        try:
            changed = os.stat(path).st_mtime_ns  # noqa: PTH116 - ten thousand times
            if settled(known.get(path), changed):
                inside = below.get(path, [])
            else:
                with os.scandir(path) as entries:
                    inside = [
                        e.path
                        for e in entries
                        if not e.name.startswith(".") and e.is_dir(follow_symlinks=False)
                    ]
        except OSError:
            continue  # a folder we may not read holds no run of ours
        yield path, parent, changed
        pending += [(item, path) for item in inside]


def settled(before: tuple[str, int, int] | None, changed: int) -> bool:
    """Tell whether a folder is as it was when it was looked into."""
    return before is not None and before[1] == changed and before[2] - changed > _SETTLED_NS


def runs_in(folder: str) -> Iterator[tuple[str, Mark]]:
    """Yield (path, mark) of each run file; of a run with a growing and a finished file, the finished one."""
    try:
        entries = {entry.name: entry for entry in os.scandir(folder)}
    except OSError:
        return
    for name, entry in entries.items():
        try:
            if name.endswith(FINAL) and not name.startswith(".") and entry.is_file():
                stem = name.removesuffix(PART) if name.endswith(PART) else name.removesuffix(FINAL)
                if name.endswith(PART) and stem + FINAL in entries:
                    continue
                notes = entries.get(stem + NOTES)
                stat = entry.stat()
                yield entry.path, (stat.st_size, stat.st_mtime_ns, notes.stat().st_mtime_ns if notes else 0)
        except OSError:
            continue  # it went away while we looked


def folder_of(path: str) -> str:
    """Return the folder of a path."""
    return os.path.dirname(path)  # noqa: PTH120 - ten thousand times


def mark_of(path: str) -> Mark | None:
    """Return the mark of one run file; None where it is not there."""
    return dict(runs_in(folder_of(path))).get(path)

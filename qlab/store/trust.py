"""Which files this process need not look over again: those it wrote, and those the guard has passed."""

from pathlib import Path

_known: dict[Path, tuple[int, int, int]] = {}


def trust(path: Path) -> None:
    """Remember a file as it is now."""
    _known[path.resolve()] = _mark(path)


def trusted(path: Path) -> bool:
    """Tell whether a file is unchanged since it was remembered."""
    return _known.get(path.resolve()) == _mark(path)


def _mark(path: Path) -> tuple[int, int, int]:
    stat = path.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns

"""The entry of qlab among a desktop's programs: its icon, and what opens runs (Linux and its like, by XDG's rules)."""

import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

from qlab.errors import FileError, UsageError

NAME = "qlab"
_TYPES = "application/x-hdf;application/x-hdf5;application/x-nexus;"
_MIME = """<?xml version="1.0" encoding="UTF-8"?>
<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">
  <mime-type type="application/x-nexus">
    <sub-class-of type="application/x-hdf"/>
    <comment>NeXus data</comment>
    <glob pattern="*.nxs"/>
    <glob pattern="*.nx5"/>
  </mime-type>
</mime-info>
"""


def data_home() -> Path:
    """Return the folder of a person's programs and icons ($XDG_DATA_HOME)."""
    given = os.environ.get("XDG_DATA_HOME", "")
    return Path(given) if given and Path(given).is_absolute() else Path.home() / ".local" / "share"


def files(home: Path) -> dict[Path, str]:
    """Return what is written where, below the data home."""
    return {
        home / "applications" / f"{NAME}.desktop": entry(command()),
        home / "icons" / "hicolor" / "scalable" / "apps" / f"{NAME}.svg": icon(),
        home / "mime" / "packages" / f"{NAME}.xml": _MIME,
    }


def install(home: Path | None = None) -> list[Path]:
    """Write the entry, the icon and the kinds of file; return them. Raises UsageError on other systems."""
    _need_xdg()
    home = home or data_home()
    written = files(home)
    for path, words in written.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(words, encoding="utf-8")
        except OSError as error:
            raise FileError(f"{path} cannot be written: {error.strerror}.", "Check the rights.") from error
    _tell_desktop(home)
    return list(written)


def remove(home: Path | None = None) -> list[Path]:
    """Take away what `install` wrote; return what was there."""
    _need_xdg()
    home = home or data_home()
    gone = [path for path in files(home) if path.exists()]
    for path in gone:
        path.unlink()
    _tell_desktop(home)
    return gone


def command() -> list[str]:
    """Return how qlab is started: by its script where there is one beside this Python, else by the module."""
    script = Path(sys.executable).with_name("qlab")
    return [str(script)] if script.exists() else [sys.executable, "-m", "qlab"]


def entry(start: list[str]) -> str:
    """Return the desktop entry; it opens the files that it is given."""
    return "\n".join(
        (
            "[Desktop Entry]", "Type=Application", "Version=1.5", "Name=qlab", "GenericName=Quantum sensing laboratory",
            "Comment=Measure, simulate and analyse in quantum metrology and sensing",
            f"Exec={' '.join(map(_quoted, start))} open %F", f"TryExec={start[0]}", f"Icon={NAME}", "Terminal=false",
            "Categories=Science;Physics;DataVisualization;", "Keywords=quantum;sensing;metrology;NV;Ramsey;HDF5;",
            f"MimeType={_TYPES}", f"StartupWMClass={NAME}", "StartupNotify=true", "",
        )
    )  # fmt: skip


def _quoted(word: str) -> str:
    """Return a word of an Exec line: quoted, with its escapes and a doubled percent sign, as the standard asks."""
    escaped = "".join(f"\\{c}" if c in '"`$\\' else c for c in word).replace("\\", "\\\\").replace("%", "%%")
    plain = all(c.isalnum() or c in "/._-+" for c in word)
    return word if plain else f'"{escaped}"'


def icon() -> str:
    """Return the icon: a damped fringe on a dark plate, as scalable vector graphics."""
    points = " ".join(f"{x:.2f},{y:.2f}" for x, y in map(_fringe, (step / 120 for step in range(121))))
    dots = "".join(
        f'<circle cx="{x:.2f}" cy="{y:.2f}" r="4"/>'
        for x, y in map(_fringe, (step / 11 for step in range(12)))
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 128 128">'
        '<rect x="4" y="4" width="120" height="120" rx="26" fill="#12324a"/>'
        f'<polyline points="{points}" fill="none" stroke="#56b4e9" stroke-width="5" stroke-linejoin="round" '
        f'stroke-linecap="round"/><g fill="#f5c451">{dots}</g></svg>\n'
    )


def _fringe(at: float) -> tuple[float, float]:
    return 18 + 92 * at, 64 - 36 * math.cos(5.5 * math.pi * at) * math.exp(-((1.35 * at) ** 2))


def _need_xdg() -> None:
    if sys.platform in {"win32", "darwin"}:
        system = "Windows" if sys.platform == "win32" else "macOS"
        raise UsageError(
            f"On {system} qlab makes no desktop entry.",
            f"Make a shortcut to {command()[0]} by hand; runs open with File > Open runs, or by dropping them.",
        )


def _tell_desktop(home: Path) -> None:
    """Let the desktop know at once, where its tools are there; else it finds out at the next login."""
    for tool, where in (
        ("update-mime-database", home / "mime"),
        ("update-desktop-database", home / "applications"),
    ):
        if (found := shutil.which(tool)) and where.is_dir():
            subprocess.run([found, str(where)], check=False, capture_output=True, timeout=30)

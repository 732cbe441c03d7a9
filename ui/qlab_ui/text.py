"""Words and numbers for people: durations, sizes, states, short names."""

import datetime as dt
from pathlib import Path

STATE_WORDS = {
    "queued": "Queued",
    "preparing": "Preparing",
    "running": "Running",
    "paused": "Paused",
    "finished": "Finished",
    "stopped": "Stopped",
    "failed": "Failed",
    "interrupted": "Interrupted",
    "damaged": "Damaged",
}
STATE_ICONS = {
    "queued": "wait",
    "preparing": "wait",
    "running": "live",
    "paused": "pause",
    "finished": "done",
    "stopped": "stop",
    "failed": "error",
    "interrupted": "broken",
    "damaged": "warning",
}
PLATFORMS = {
    "nv": "NV centre",
    "ion": "Trapped ion",
    "clock": "Atomic clock",
    "atom": "Cold atoms",
    "photonics": "Photonics",
    "transmon": "Transmon",
    "generic": "Any bench",
    "custom": "Own physics",
}


def duration(seconds: float) -> str:
    """Show a time span as people say it: `42 s`, `3 min 20 s`, `1 h 05 min`."""
    if seconds < 0.95:
        return "under 1 s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{hours} h {minutes:02d} min" if hours < 48 else f"{hours // 24} days"


def end_time(seconds: float) -> str:
    """Return the clock time that lies so many seconds ahead."""
    moment = dt.datetime.now() + dt.timedelta(seconds=min(max(seconds, 0), 3e8))
    today = moment.date() == dt.datetime.now().date()
    return moment.strftime("%H:%M:%S" if today else "%d %b %H:%M")


def started(stamp: str) -> str:
    """Show an ISO 8601 stamp as a local time, with the date where it is not today's."""
    try:
        moment = dt.datetime.fromisoformat(stamp).astimezone()
    except ValueError:
        return stamp
    if moment.date() == dt.datetime.now().astimezone().date():
        return moment.strftime("%H:%M")
    this_year = moment.year == dt.datetime.now().astimezone().year
    return moment.strftime("%d %b %H:%M" if this_year else "%d %b %Y")


def size(amount: float) -> str:
    """Show a number of bytes: `41 GB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def short_id(run: str) -> str:
    """Return the first part of a run's UUID, as it stands in the name of its file."""
    return run.replace("-", "")[:8]


def home(path: Path) -> str:
    """Show a path with ~ for the home folder."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except ValueError:
        return str(path)


def words(name: str) -> str:
    """Turn a name of the code into words: `damped_cosine` is `Damped cosine`."""
    return name.replace("_", " ").strip().capitalize()


def capital(words: str) -> str:
    """Let words begin with a capital, the rest as it is; π and its like stay small."""
    return words[:1].upper() + words[1:] if words[:1].isascii() else words


def count(number: int) -> str:
    """Show a whole number with thin spaces: `20 000`; four digits stay together."""
    return str(number) if abs(number) < 10_000 else f"{number:,}".replace(",", "\u202f")


def points(number: int) -> str:
    """Show a number of points: `201 points`."""
    return "1 point" if number == 1 else f"{count(number)} points"

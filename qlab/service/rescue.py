"""After a crash: make a bench safe, or say who could not be reached, and make whole what was measured."""

from pathlib import Path
from typing import Any

from qlab.bench import Bench
from qlab.errors import FileError, QlabError
from qlab.holding import Holding
from qlab.service.channel import Message
from qlab.service.hand import recall


def safe_report(name: str, known: dict[str, Any], *, reach: bool = True) -> dict[str, str]:
    """Make a bench safe and let go of it; return what became of each instrument.

    With `reach` False no instrument is touched (opening one has just ended a process): each is named with the
    state in which it was last seen.
    """
    try:
        bench = Bench.load(name)
        held = Holding.of(bench, "qlab, making it safe") if reach else Holding([])
    except QlabError as error:
        return {name: f"NOT SAFE: {error}"}
    recall(bench, known)
    if not reach:
        return {
            name: f"NOT REACHED: reaching it ended the bench process. {instrument.last_state()} Check {name} by hand."
            for name, instrument in bench.instruments.items()
        }
    try:
        return bench.make_safe(close=True)
    finally:
        held.release()


def ending(message: Message) -> Message:
    """Make the file of a run whole whose process has died; return the `state` event of its end."""
    from qlab.live import remove_left_over
    from qlab.settings import runtime_folder
    from qlab.store import open_run, recover

    remove_left_over(runtime_folder())
    part, state, reason = Path(message.get("path") or "."), message["state"], message["reason"]
    ended = {"event": "state", "run": message["run"], "state": state, "reason": reason}
    try:
        found = recover(part, state, reason) if message.get("path") else []
        path = str(found[0]) if found else ""
    except FileError as error:
        return {**ended, "reason": f"{reason} {error.message}", "hint": error.hint, "path": ""}
    hint = f"What was measured is in {path}." if path else "Nothing had been measured."
    if path:
        # It may have come to its end after all, in a process that outlived its supervisor.
        record = open_run(path).record
        ended |= {
            "state": record.state,
            "reason": record.reason or reason,
            "record": record.model_dump(mode="json"),
        }
    return {**ended, "hint": hint, "path": path}


def still_written(path: str) -> bool:
    """Return whether a living process still writes a run's file."""
    from qlab.store.lock import RunLock

    if not path or not Path(path).exists():
        return False
    lock = RunLock.take(Path(path))
    if lock is None:
        return True
    lock.release(remove=False)
    return False

"""After a crash: make a bench safe, or say who could not be reached, and make whole what was measured."""

from pathlib import Path
from typing import Any

from qlab.bench import Bench
from qlab.benchfile import read_bench
from qlab.errors import FileError
from qlab.holding import Holding
from qlab.instrument import last_known
from qlab.service.channel import Message
from qlab.service.hand import recall
from qlab.service.patience import Patience


def safe_report(
    name: str, known: dict[str, Any], patience: Patience, *, reach: bool = True
) -> dict[str, str]:
    """Make a bench safe and let go of it; return what became of each instrument.

    With `reach` False no driver is even loaded (one has just ended a process): each instrument is named with the
    state in which it was last seen. `patience` times the loading of drivers, which has no other deadline.
    """
    try:
        if not reach:
            why = "NOT REACHED: reaching it ended the bench process."
            return {
                instrument: f"{why} {last_known(known.get(instrument, {}))} Check {instrument} by hand."
                for instrument in read_bench(name).instruments
            }
        with patience:
            bench = Bench.load(name)
        held = Holding.of(bench, "qlab, making it safe")
    except Exception as error:  # noqa: BLE001 - a driver may raise anything; whoever waits must hear of it
        return {name: f"NOT SAFE: {error} Check its instruments by hand."}
    recall(bench, known)
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

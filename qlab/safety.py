"""Making a bench safe: every instrument, each with its own deadline, side by side where their addresses differ."""

import contextlib
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from qlab.errors import QlabError
from qlab.instrument import Instrument

DEADLINE = 5.0  # s that one instrument has to become safe, beside the time that its ramps take


@dataclass
class _Attempt:
    """One address: its instruments, one after the other."""

    instruments: list[Instrument]
    close: bool
    outcome: dict[str, str] = field(default_factory=dict)
    thread: threading.Thread | None = None

    def work(self) -> None:
        for instrument in self.instruments:
            self.outcome[instrument.name] = _safe(instrument, self.close)

    def seconds(self) -> float:
        return sum(DEADLINE + instrument.safe_seconds() for instrument in self.instruments)


def make_safe(instruments: Iterable[Instrument], *, close: bool = False) -> dict[str, str]:
    """Make instruments safe, whatever happens to the others; return what became of each.

    "safe", or "NOT SAFE: why ...", or "NOT REACHED within 5 s ...", the latter two with the state in which it was
    last known. One that is not open is opened for it, one whose connection was lost is opened anew; `close` lets
    go of each afterwards.
    """
    groups: dict[str, list[Instrument]] = {}
    for instrument in instruments:
        instrument.break_off()
        groups.setdefault(instrument.address or f"instrument {instrument.name}", []).append(instrument)
    attempts = [_Attempt(group, close) for group in groups.values()]
    began = time.monotonic()
    for attempt in attempts:
        attempt.thread = threading.Thread(target=attempt.work, daemon=True, name="qlab safe")
        attempt.thread.start()
    report: dict[str, str] = {}
    for attempt in attempts:
        if attempt.thread is not None:
            attempt.thread.join(max(0.0, began + attempt.seconds() - time.monotonic()))
        for instrument in attempt.instruments:
            report[instrument.name] = attempt.outcome.get(instrument.name) or _late(instrument)
    return report


def _safe(instrument: Instrument, close: bool) -> str:
    close = close or instrument.state == "closed"
    try:
        if instrument.state != "open":
            instrument.open()
            instrument.state = "open"
        instrument.make_safe()
    except Exception as error:  # noqa: BLE001 - a driver may raise anything; the others must still be made safe
        what = str(error) if isinstance(error, QlabError) else f"{type(error).__name__}: {error}."
        return f"NOT SAFE: {what} {instrument.last_state()} Check {instrument.name} by hand."
    finally:
        if close:
            with contextlib.suppress(Exception):
                instrument.close()
            instrument.state = "closed"
    return "safe"


def _late(instrument: Instrument) -> str:
    instrument.state = "lost"
    instrument.abort()
    return (
        f"NOT REACHED within {DEADLINE + instrument.safe_seconds():.0f} s. {instrument.last_state()}"
        f" Check {instrument.name} by hand."
    )

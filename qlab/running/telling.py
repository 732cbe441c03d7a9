"""Telling: the events of one run, as `qlab.session.Session` describes them."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qlab.record import Record, State

Tell = Callable[[dict[str, Any]], None]
TOLD_EVERY = 0.15  # s between progress events


class Teller:
    """Tells what happens to one run, to whoever listens."""

    def __init__(self, run: str, tell: Tell | None) -> None:
        self.run = run
        self._tell = tell
        self._began = self.due = time.monotonic()

    def tell(self, event: str, **about: Any) -> None:
        """Tell one event."""
        if self._tell is not None:
            self._tell({"event": event, "run": self.run, **about})

    def begin(self) -> None:
        """Start counting the time of the run."""
        self._began = time.monotonic()

    def state(self, state: State, path: Path, reason: str = "", hint: str = "", **more: Any) -> None:
        """Tell a change of state."""
        self.tell("state", state=state, reason=reason, hint=hint, path=str(path), **more)

    def started(self, record: Record, table: Path | None, path: Path) -> None:
        """Tell that rows may come, and where."""
        shown = record.model_dump(mode="json")
        self.tell("started", record=shown, table=str(table or ""), path=str(path))

    def progress(self, done: int, total: int) -> None:
        """Tell how far it is; without a plan nobody knows how long it will take."""
        now = time.monotonic()
        self.due = now + TOLD_EVERY
        elapsed = now - self._began
        left = max(elapsed / done * (total - done), 0.0) if done and total else float("nan")
        self.tell("progress", done=done, total=total, elapsed=elapsed, remaining=left)

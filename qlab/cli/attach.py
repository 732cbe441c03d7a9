"""At the supervisor from a command line: orders sent, runs followed, Ctrl-C as stop and again as halt."""

import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from qlab.cli.telling import tell
from qlab.errors import QlabError, UsageError
from qlab.record import ENDED
from qlab.service.client import RemoteSession, connect
from qlab.session import Event, Order

PATIENCE = 45.0  # s until the supervisor must have answered
LOOK = 0.05  # s between two looks at the events


@contextlib.contextmanager
def session(name: str = "command line") -> Iterator[RemoteSession]:
    """Give a session with this user's supervisor, started where there is none."""
    made = connect(name)
    try:
        yield made
    finally:
        made.close()


def wait_for(made: RemoteSession, found: Callable[[Event], bool], seconds: float = PATIENCE) -> Event:
    """Return the first event that is meant; raise QlabError where none comes in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for event in made.events():
            if found(event):
                return event
        time.sleep(LOOK)
    raise QlabError("The bench process does not answer.", "Run `qlab doctor`.")


def enqueue(made: RemoteSession, order: Order) -> str:
    """Submit an order and return its run once it has been looked at; raise UsageError where it cannot be played."""
    run = made.submit(order)
    problem = ""

    def seen(event: Event) -> bool:
        nonlocal problem
        if event["event"] == "state" and event["run"] == run and event["state"] == "failed":
            problem = f"{event['reason']} {event['hint']}".strip()
        if event["event"] == "study" and event["study"] == run and event["state"] == "failed":
            problem = event["reason"]
        known = event["event"] == "queue" and any(
            run in {item["run"], item["study"]} and item["why"] != "being looked at"
            for item in event["items"]
        )
        return bool(problem) or known

    wait_for(made, seen)
    if problem:
        raise UsageError(problem, "")
    return run


class Follower:
    """Follows one run, or all runs of one study, to its end."""

    def __init__(self, made: RemoteSession, run: str) -> None:
        self._session, self._run = made, run
        self._runs = {run}
        self._asked = 0
        self.paths: list[str] = []
        self.ended: Event | None = None

    def follow(self) -> Event:
        """Tell what happens until it is over; return its last event."""
        before = {
            number: signal.signal(number, self._interrupted) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            while self.ended is None:
                for event in self._session.events():
                    self._take(event)
                time.sleep(LOOK)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            if sys.stderr.isatty():
                print(file=sys.stderr)
        return self.ended

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._asked += 1
        if self._asked == 1:
            print("\nstopping at the next point (Ctrl-C again halts)", file=sys.stderr)
        self._session.command("stop" if self._asked == 1 else "halt", self._run)

    def _take(self, event: dict[str, Any]) -> None:
        kind, run = event["event"], event.get("run", "")
        if kind == "queued" and event["order"].get("study") == self._run:
            self._runs.add(run)
        if run in self._runs or kind == "bench":
            tell(event)
        if kind == "study" and event["study"] == self._run:
            self.ended = event
        if kind == "state" and run in self._runs and event["state"] in ENDED:
            self.paths += [event["path"]] if event["path"] else []
            if run == self._run:
                self.ended = event


def attach(order: Order) -> None:
    """Play an order at the supervisor: progress on stderr, the files' paths on stdout."""
    with session() as made:
        run = made.submit(order)
        print(f"run {run}", file=sys.stderr)
        follower = Follower(made, run)
        ended = follower.follow()
        for path in follower.paths:
            print(path)
        if ended["state"] in {"failed", "interrupted"}:
            if not follower.paths:
                raise UsageError(str(ended["reason"]), str(ended.get("hint", "")))
            raise QlabError(f"The run was {ended['state']}: {ended['reason']}", str(ended.get("hint", "")))

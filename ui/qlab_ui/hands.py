"""The queue, the manual panel and the watchdogs: what the bench tells of them, and what hands ask of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from qlab.errors import QlabError
from qlab.session import Command, Event
from qlab_ui import text

if TYPE_CHECKING:
    from qlab_ui.window import MainWindow


class Hands:
    """Carries what is asked in the panes to the session, and what it answers into the panes."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self.rules: list[Mapping[str, Any]] = []
        self._firing: set[str] = set()
        self._seen = False  # whether the manual panel is looked at
        self._watched = ""  # the bench whose readings are asked for
        window.feed.on("queue", self._queue)
        window.feed.on("panel", self._panel)
        window.feed.on("watch", self._watch)
        window.feed.on("ready", lambda _event: self.look())
        window.queue.commandWanted.connect(self.command)
        window.queue.arrangeWanted.connect(self.arrange)
        # A dock behind another tab is visible to Qt; this signal tells whether it is seen.
        window.docks["instruments"].visibilityChanged.connect(self._looked_at)
        window.instruments.setWanted.connect(self._set)
        window.instruments.rulesWanted.connect(lambda: window.call("watchdogs"))

    def command(self, what: Command, run: str = "") -> None:
        """Say something to a run or to the queue."""
        self._ask(lambda: self._window.feed.session.command(what, run))

    def arrange(self, run: str, changes: Mapping[str, Any]) -> None:
        """Change a run that waits."""
        self._ask(lambda: self._window.feed.session.arrange(run, changes))

    def extend(self, run: str, passes: int) -> None:
        """Add passes to a run."""
        self._ask(lambda: self._window.feed.session.extend(run, passes))

    def set_rules(self, rules: list[Mapping[str, Any]]) -> None:
        """Give the bench other watchdogs."""
        self.rules = rules
        self._ask(lambda: self._window.feed.session.watch(self._window.settings.bench, rules))

    def look(self) -> None:
        """Ask for readings of the bench while its instruments are looked at, and for none else."""
        bench = self._window.settings.bench
        wanted = bench if self._seen and self._window.bench.ready else ""
        if wanted == self._watched:
            return
        session = self._window.feed.session
        before, self._watched = self._watched, wanted
        if before:
            self._ask(lambda: session.panel(before, watch=False))
        if wanted:
            self._ask(lambda: session.panel(wanted, watch=True))

    def _looked_at(self, seen: bool) -> None:
        self._seen = seen
        self.look()

    def _queue(self, event: Event) -> None:
        panel = self._window.queue
        panel.show_queue(
            held=bool(event.get("held")), items=[self._titled(one) for one in event.get("items") or ()]
        )
        waiting = panel.waiting()
        self._window.docks["queue"].setWindowTitle(f"Queue ({waiting})" if waiting else "Queue")

    def _titled(self, told: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give an order without a title of its own the title of its experiment."""
        order = told.get("order") or {}
        entry = self._window.bench.entry(str(order.get("experiment", "")))
        if entry is None or told.get("title") not in {None, "", order.get("experiment")}:
            return told
        return {**told, "title": entry.get("title") or entry["name"]}

    def _panel(self, event: Event) -> None:
        if event.get("bench") == self._window.settings.bench:
            self._window.instruments.show_panel(
                str(event["bench"]), str(event.get("owner") or ""), event.get("instruments") or {}
            )

    def _watch(self, event: Event) -> None:
        """Say aloud what begins to fire; the run's own log says it too, and when it is clear again."""
        if event.get("bench") not in {None, self._window.settings.bench}:
            return
        self.rules = list(event.get("rules") or ())
        firing = {str(one.get("rule")): one for one in event.get("firing") or ()}
        for name, one in firing.items():
            if name not in self._firing:
                did = {"pause": "the run is paused", "stop": "the run stops", "make_safe": "all is made safe"}
                what = did.get(str(one.get("action")), "look at it")
                self._window.toasts.show("warning", f"Watchdog {name}: {one.get('words')}; {what}.")
        self._firing = set(firing)

    def _set(self, instrument: str, knob: str, value: Any, take_over: bool) -> None:
        bench = self._window.settings.bench
        if take_over:
            owner = self._window.at_work.current
            self._window.tell("info", f"{instrument}.{knob} is set by hand in run {text.short_id(owner)}.")
        self._ask(
            lambda: self._window.feed.session.set_knob(bench, instrument, knob, value, take_over=take_over)
        )

    def _ask(self, what: Callable[[], object]) -> None:
        try:
            what()
        except QlabError as error:
            self._window.tell("error", error.message, error.hint, toast=True)

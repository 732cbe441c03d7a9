"""What the bench process says, and what follows from it: the catalogue, the form, the name of the bench."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qlab.errors import QlabError
from qlab.record import Record
from qlab.session import Event
from qlab_ui import remembered, text
from qlab_ui.bars import OPEN_BENCH

if TYPE_CHECKING:
    from qlab_ui.window import MainWindow


class BenchSide:
    """The bench process as the window knows it."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self.catalogue: list[dict[str, Any]] = []
        self.benches: list[dict[str, Any]] = []
        self.ready = False
        self.simulated = window.settings.bench.startswith("sim")
        self.safe_wanted = False  # a person asked for it, and is told; after each run it goes to the log only
        self.truths: dict[str, dict[str, float]] = {}  # by bench: what is hidden otherwise than it says
        self._seconds: float | None = None
        window.feed.on("ready", self._came_up)
        window.feed.on("bench", self._changed)
        window.feed.on("checked", self._checked)
        window.feed.on("safe", self._safe)
        window.form.checkWanted.connect(self._check)
        window.experiments.chosen.connect(self.choose)
        window.bars.bench_box.activated.connect(self._bench_chosen)

    def recall(self) -> None:
        """Show the catalogue of the last start until the bench process gives its own."""
        catalogue, self.benches = remembered.load()
        self._take(catalogue)

    def choose(self, name: str) -> None:
        """Show the form of an experiment, with the values that were used last."""
        entry = self.entry(name)
        if entry is None or "broken" in entry:
            return
        values = self._window.settings.last_values.get(name)
        self._seconds = None
        self._window.settings.experiment = name
        self._find_bench(entry)
        self._window.form.show_entry(entry, values if isinstance(values, dict) else None)
        self._window.help.show_entry(entry)
        self.invite()

    def entry(self, name: str) -> dict[str, Any] | None:
        """Return the catalogue entry of an experiment."""
        return next((entry for entry in self.catalogue if entry["name"] == name), None)

    def load_record(self, record: Record) -> bool:
        """Fill the form with the values of a run; return whether its experiment is installed."""
        window = self._window
        if self.entry(record.experiment) is None:
            window.tell("warning", f"The experiment {record.experiment} is not installed.", toast=True)
            return False
        if window.form.experiment != record.experiment:
            window.experiments.choose(record.experiment)
        window.form.load(dict(record.parameters), f"loading of run {text.short_id(record.id)}")
        return True

    def hide(self, bench: str, truth: dict[str, float]) -> None:
        """Hide other values in a simulated bench from now on, until the window is closed."""
        self.truths[bench] = truth
        what = ", ".join(truth) if truth else "nothing: it is as its file says"
        self._window.tell("info", f"Changed in the simulated world: {what}.", toast=True)

    def use(self, bench: str) -> None:
        """Measure with another bench from now on."""
        window = self._window
        if bench != window.settings.bench:
            window.settings.bench = bench
            self.simulated = self._is_simulated(bench)
            window.keep_settings()
            window.hands.look()
            window.form.ask_again()
        self.show_name()
        self.invite()

    def _bench_chosen(self, _index: int) -> None:
        chosen = str(self._window.bars.bench_box.currentData())
        if chosen != OPEN_BENCH:
            self.use(chosen)
            return
        self.show_name()  # the one in use stays chosen until a file is
        self._window.call("open_bench")

    def _is_simulated(self, bench: str) -> bool:
        known = next((one for one in self.benches if one["name"] == bench), None)
        if known is not None:
            return bool(known.get("simulated"))
        # A file that was written since the bench process told what there is: it says itself whether it has a world.
        try:
            return "world" in tomllib.loads(Path(bench).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return bench.startswith("sim")

    def _find_bench(self, entry: dict[str, Any]) -> None:
        """Go from one simulated bench to another where the experiment has one of its own."""
        known = {one["name"]: one for one in self.benches}
        preset, bench = str(entry.get("preset") or ""), self._window.settings.bench
        if preset in known and bench.startswith("sim-") and bench in known and bench != preset:
            self.use(preset)

    def show_name(self) -> None:
        """Show which bench this is, and whether it is simulated."""
        bars = self._window.bars
        bars.show_benches(self.benches, self._window.settings.bench)
        for action in bars.toolbar.actions():
            if bars.toolbar.widgetForAction(action) is bars.sim:
                action.setVisible(self.simulated)
        self._window.name_window()

    def invite(self) -> None:
        """Bring the welcome up to date."""
        settings = self._window.settings
        self._window.form.pace = settings.pace_seconds if self.simulated else 0.0
        entry = self.entry(self._window.form.experiment) or {}
        self._window.welcome.tell(
            experiment=str(entry.get("title") or ""),
            simulated=self.simulated,
            ready=self.ready,
            seconds=settings.pace_seconds if self.simulated and settings.pace_seconds else self._seconds,
            folder=text.home(Path(settings.folder())),
        )

    def _came_up(self, event: Event) -> None:
        self.ready = True
        self.benches = event.get("benches") or self.benches
        self.simulated = self._is_simulated(self._window.settings.bench)
        self._window.status.show_state("done", "Ready")
        catalogue = event.get("catalogue") or []
        if (catalogue, self.benches) != remembered.load():
            remembered.save(catalogue, self.benches)
        if catalogue != self.catalogue:
            self._take(catalogue)
        else:
            self._window.form.ask_again()
        self.show_name()
        self.invite()

    def _take(self, catalogue: list[dict[str, Any]]) -> None:
        window, self.catalogue = self._window, catalogue
        if not catalogue:
            window.form.wait("The bench is starting; the parameters come in a moment.")
            self.invite()
            return
        before, typed = window.form.experiment, window.form.changes()
        window.experiments.show_catalogue(catalogue)
        window.fitting.curved = {str(entry["name"]) for entry in catalogue if entry.get("curves")}
        good = [entry["name"] for entry in catalogue if "broken" not in entry]
        wanted = window.settings.experiment
        if good:
            window.experiments.choose(wanted if wanted in good else good[0])
        if before and before == window.form.experiment and typed:
            window.form.load(typed, "what was typed while the bench started")
        for entry in catalogue:
            if "broken" in entry:
                window.log.add("warning", f"{entry['name']}: {entry['broken']}")

    def _changed(self, event: Event) -> None:
        state, message = str(event.get("state", "")), str(event.get("message", ""))
        window = self._window
        if state not in {"gone", "restarting"}:
            if message:
                window.tell("info", message)
            return
        self.ready = False
        window.at_work.lost(message or "the bench process ended")
        window.status.show_state("warning", "Restarting the bench" if state == "restarting" else "No bench")
        window.status.rest()
        level = "error" if state == "gone" else "warning"
        window.tell(level, message or "The bench process ended.", toast=True)
        self.invite()

    def _check(self, token: int, experiment: str, values: object) -> None:
        if not self.ready or not isinstance(values, dict):
            return
        try:
            self._window.feed.session.check(token, experiment, values, self._window.settings.bench)
        except QlabError as error:
            self._window.tell("warning", error.message, error.hint)

    def _checked(self, event: Event) -> None:
        self._window.form.checked(event)
        self._seconds = event.get("seconds")
        self.invite()

    def _safe(self, event: Event) -> None:
        report: dict[str, str] = event.get("report") or {}
        told = "; ".join(f"{name}: {what}" for name, what in report.items())
        unsafe = [name or "the bench" for name, what in report.items() if what.startswith("NOT ")]
        if unsafe:  # always said aloud, and it stays until it is closed
            message = f"Not everything is safe: {', '.join(unsafe)}."
            self._window.tell("error", message, f"Check by hand. {told}", toast=True)
        else:
            self._window.tell("info", f"Made safe. {told}".strip(), toast=self.safe_wanted)
        self.safe_wanted = False

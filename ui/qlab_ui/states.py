"""The state along the sequence that is drawn: asked of the bench process, one question at a time, the last one wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qlab.errors import QlabError
from qlab.session import Event

if TYPE_CHECKING:
    from qlab.record import Record
    from qlab_ui.window import MainWindow

Floats = NDArray[np.float64]
REAL = "On a real bench nobody knows the state."


@dataclass(frozen=True)
class StatePath:
    """Where the state is: `times` (n,) in s, `populations` (levels, n), `bloch` (3, n) between the `pair` of levels."""

    times: Floats
    names: tuple[str, ...]
    populations: Floats
    pair: tuple[str, str]
    bloch: Floats
    note: str = ""

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> StatePath:
        """Return the path that a bench has told."""
        levels = said["levels"]
        return cls(
            np.asarray(said["times"], dtype=float), tuple(levels), np.array(list(levels.values()), dtype=float),
            (str(said["pair"][0]), str(said["pair"][1])), np.asarray(said["bloch"], dtype=float), str(said["note"]),
        )  # fmt: skip

    def at(self, seconds: float) -> int:
        """Return the index of a moment."""
        return int(np.clip(np.searchsorted(self.times, seconds, side="right") - 1, 0, len(self.times) - 1))

    def words(self, index: int) -> str:
        """Return the populations at a moment, in words."""
        return ", ".join(
            f"{name.replace(' ', chr(0xA0))}:\u00a0{share:.3f}"
            for name, share in zip(self.names, self.populations[:, index], strict=True)
        )


@dataclass(frozen=True)
class Wanted:
    """What the state is asked for."""

    program: Mapping[str, Any]
    point: int
    bench: str
    truth: tuple[tuple[str, float], ...]


class States:
    """Keeps the state beside the pulse view, where the bench is simulated and the state is looked at."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._asked: Wanted | None = None
        self._underway = False
        self._token = 0
        window.feed.on("followed", self._followed)
        window.feed.on("bench", self._bench_changed)

    def consider(self) -> None:
        """Ask for the state where another one is wanted: called with each frame, after the pulse view."""
        panel = self._window.sequence
        if self._underway or not panel.state_wanted() or not self._window.bench.ready:
            return
        played = panel.played
        if played is None:
            return
        record = self._window.playing.record()
        simulated = record.simulated if record is not None else self._window.bench.simulated
        if not simulated:
            self._asked = None
            panel.show_path(None, REAL)
            return
        bench, truth = self._truth(record)
        wanted = Wanted(played.program, int(played.index[panel.slider.value()]), bench, truth)
        if self._asked is not None and self._same(wanted, self._asked):
            return
        self._asked, self._underway, self._token = wanted, True, self._token + 1
        try:
            self._window.feed.session.follow(self._token, played.program, wanted.point, bench, dict(truth))
        except QlabError as error:
            self._underway = False
            panel.show_path(None, error.message)

    def _truth(self, record: Record | None) -> tuple[str, tuple[tuple[str, float], ...]]:
        """Return the bench that the state is of, and what was hidden in it."""
        bench = self._window.settings.bench
        if record is None:
            return bench, ()
        named = str((record.bench.get("entry") or {}).get("name") or "")
        known = {str(one["name"]) for one in self._window.bench.benches}
        return (named if named in known else bench), tuple(record.truth.items())

    @staticmethod
    def _same(one: Wanted, other: Wanted) -> bool:
        # The program is compared by identity: what is drawn anew is laid out anew.
        return one.program is other.program and (one.point, one.bench, one.truth) == (
            other.point, other.bench, other.truth,
        )  # fmt: skip

    def _followed(self, event: Event) -> None:
        if event.get("token") != self._token:
            return
        self._underway = False
        panel = self._window.sequence
        if "path" not in event:
            panel.show_path(None, str(event.get("problem", "")))
            return
        panel.show_path(StatePath.of(event["path"]), "")

    def _bench_changed(self, event: Event) -> None:
        """A process that is gone answers no more."""
        if event.get("state") in {"gone", "restarting"}:
            self._underway, self._asked = False, None

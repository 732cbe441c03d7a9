"""The watchdogs of a bench that people keep open while no run has it."""

import math
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from qlab.bench import Bench
from qlab.service.channel import Message
from qlab.watch import Rule, Watchdog

_GAP = 3.0  # s without a look (a run had the bench, and watched itself) after which values are expected anew


class Guarding:
    """Looks at what the panel has just read. Without a run there is nothing to pause or stop: that is told only."""

    def __init__(self, bench: Bench, rules: Sequence[Rule]) -> None:
        self._bench = bench
        self._dogs: list[tuple[Watchdog, str, str]] = []
        self._since: dict[str, str] = {}
        self._looked = -math.inf
        named = {rule.name: rule for rule in (*bench.entry.watch, *rules) if "." in rule.readout}
        for rule in named.values():
            instrument, knob = bench.find(rule.readout)
            self._dogs.append((Watchdog(rule, instrument.knobs()[knob].unit), instrument.name, knob))

    def look(self, tell: Callable[[Message], None]) -> bool:
        """Judge the last readings and tell what changed; return whether the bench has to be made safe."""
        now = time.monotonic()
        if now - self._looked > _GAP:
            for dog, _, _ in self._dogs:
                dog.expect(now)
        began = [dog for dog, instrument, knob in self._dogs if self._see(dog, instrument, knob, now)]
        self._looked = now
        for dog in began:
            rule = dog.rule
            verb = {"make_safe": "make safe", "warn": "warn"}.get(rule.action, "no run goes")
            self._since[rule.name] = datetime.now(UTC).astimezone().isoformat(timespec="milliseconds")
            words = f"watchdog {rule.name}: {dog.words()}; {verb if dog.firing else 'clear'}"
            tell({"event": "log", "level": "warning" if dog.firing else "info", "message": words})
        if began:
            tell(self._event())
        return any(dog.firing and dog.rule.action == "make_safe" for dog in began)

    def _see(self, dog: Watchdog, instrument: str, knob: str, now: float) -> bool:
        value, when = self._bench.instruments[instrument].known.get(knob, (math.nan, -math.inf))
        if when > self._looked:
            return dog.see(float(value), now, when)
        # No fresh reading: an interlock that cannot see must not say that all is well.
        return dog.look(now) if dog.rule.condition == "stale" else dog.see(math.nan, now)

    def _event(self) -> dict[str, Any]:
        firing = [
            {
                "rule": dog.rule.name,
                "value": dog.value if math.isfinite(dog.value) else None,
                "since": self._since[dog.rule.name],
                "action": dog.rule.action if dog.rule.action == "make_safe" else "warn",
                "words": dog.words(),
            }
            for dog, _, _ in self._dogs
            if dog.firing
        ]
        rules = [dog.rule.model_dump(mode="json") for dog, _, _ in self._dogs]
        return {"event": "watch", "bench": self._bench.name, "rules": rules, "firing": firing}

"""The state in which each bench was last seen: what people are told of an instrument that nobody can reach."""

import time
from typing import Any

from qlab.service.channel import Message


class LastKnown:
    """The values of the knobs of each bench, from the snapshots of its runs and from its panel."""

    def __init__(self) -> None:
        self._benches: dict[str, dict[str, dict[str, tuple[Any, str, float]]]] = {}

    def heard(self, bench: str, event: Message) -> None:
        """Take the values that a `started` or `panel` event tells of a bench."""
        if event.get("event") == "started":
            instruments = event["record"].get("bench", {}).get("instruments", {})
        else:
            instruments = event.get("instruments", {})
        now = time.monotonic()
        known = self._benches.setdefault(bench, {})
        for name, about in instruments.items():
            for knob, shown in (about.get("knobs") or {}).items():
                if shown.get("value") is not None:
                    when = now - float(shown.get("age") or 0.0)
                    known.setdefault(name, {})[knob] = (shown["value"], str(shown.get("unit") or ""), when)

    def of(self, bench: str) -> dict[str, dict[str, tuple[Any, str, float]]]:
        """Return instrument -> knob -> (value, unit, s ago)."""
        now = time.monotonic()
        return {
            name: {knob: (value, unit, now - when) for knob, (value, unit, when) in knobs.items()}
            for name, knobs in self._benches.get(bench, {}).items()
        }

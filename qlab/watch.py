"""Watchdogs: rules on a readout that warn, pause, stop or make safe, and whether they fire."""

import math
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from qlab.errors import UsageError
from qlab.units import format_quantity, parse_quantity

Condition = Literal["above", "below", "stale", "changing_faster"]
Action = Literal["pause", "stop", "make_safe", "warn"]
EVERY = 0.5  # s between two looks at a knob


class Rule(BaseModel):
    """One condition on a readout, and what happens where it holds.

    `readout` is `instrument.knob` or a column of the run. `threshold` is in the readout's unit or typed with one
    ("25 mW"); for `stale` it is the longest time (s) without a fresh value, for `changing_faster` the change per
    second. The rule fires once its condition has held for `for_seconds`, and clears once the readout is back by
    more than `hysteresis`; a pause by it ends by itself then where `resume_when_clear` says so. A readout that is
    no number counts as beyond every threshold: an interlock that cannot see must not say that all is well.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    readout: str = Field(min_length=1)
    condition: Condition
    threshold: float | str
    action: Action = "warn"
    for_seconds: float = Field(0.0, ge=0, allow_inf_nan=False)
    resume_when_clear: bool = False
    hysteresis: float | str = 0.0

    def level(self, unit: str) -> float:
        """Return the threshold in the readout's unit (s for `stale`); raise UsageError where it is none."""
        return _number(self.threshold, "s" if self.condition == "stale" else unit, self.name)

    def margin(self, unit: str) -> float:
        """Return the hysteresis in the readout's unit; raise UsageError where it is none."""
        margin = _number(self.hysteresis, "s" if self.condition == "stale" else unit, self.name)
        if margin < 0:
            raise UsageError(f"The hysteresis of the rule {self.name!r} is negative.", "Give 0 or more.")
        return margin


def _number(value: float | str, unit: str, rule: str) -> float:
    number = parse_quantity(value.removesuffix("/s"), unit) if isinstance(value, str) else float(value)
    if not math.isfinite(number):
        raise UsageError(f"The rule {rule!r} has no finite threshold.", "Give a number.")
    return number


@dataclass
class Watchdog:
    """One rule at work. `see` takes values with their time (s, any steady clock); `firing` is what it comes to."""

    rule: Rule
    unit: str = "1"
    firing: bool = False
    since: float = 0.0
    value: float = math.nan
    _bad_since: float | None = None
    _seen: float | None = None
    _before: tuple[float, float] | None = None
    level: float = field(init=False)
    margin: float = field(init=False)

    def __post_init__(self) -> None:
        self.level, self.margin = self.rule.level(self.unit), self.rule.margin(self.unit)

    def expect(self, now: float) -> None:
        """Say that values are expected from now on."""
        self._seen = now

    def rest(self, now: float) -> None:
        """Forget that it fires."""
        self.firing, self._bad_since, self._seen = False, None, now

    def see(self, value: float, now: float, at: float | None = None) -> bool:
        """Take a value measured at `at` (its own clock); return whether the rule began or ceased to fire."""
        self._seen = now
        measure = self._measure(value, now if at is None else at)
        if self.rule.condition == "stale":
            return self.look(now)
        self.value = value if self.rule.condition != "changing_faster" else measure
        return self._judge(measure, now)

    def look(self, now: float) -> bool:
        """Let time pass without a value; return whether the rule began or ceased to fire."""
        if self.rule.condition != "stale" or self._seen is None:
            return False
        self.value = now - self._seen
        return self._judge(self.value, now)

    def _measure(self, value: float, now: float) -> float:
        if self.rule.condition != "changing_faster":
            return value
        if not math.isfinite(value):
            return math.nan
        if self._before is None or not now > self._before[1]:
            if self._before is None:
                self._before = (value, now)
            return 0.0
        speed = abs(value - self._before[0]) / (now - self._before[1])
        self._before = (value, now)
        return speed

    def _judge(self, measure: float, now: float) -> bool:
        sign = -1.0 if self.rule.condition == "below" else 1.0
        # With a margin the way back is longer; no number at all is bad.
        level = self.level - sign * (self.margin if self.firing else 0.0)
        bad = not sign * measure <= sign * level
        if not bad:
            self._bad_since = None
            was, self.firing = self.firing, False
            return was
        if self._bad_since is None:
            self._bad_since = now
        if self.firing or now - self._bad_since < self.rule.for_seconds:
            return False
        self.firing, self.since = True, now
        return True

    def words(self) -> str:
        """Return what it saw, in words."""
        unit = {"stale": "s", "changing_faster": f"{self.unit}/s"}.get(self.rule.condition, self.unit)
        shown = format_quantity(self.value, unit) if math.isfinite(self.value) else "no number"
        verb = {"above": "is", "below": "is", "stale": "is silent for", "changing_faster": "changes by"}
        return (
            f"{self.rule.readout} {verb[self.rule.condition]} {shown}"
            f" ({self.rule.condition.replace('_', ' ')} {format_quantity(self.level, unit)})"
        )

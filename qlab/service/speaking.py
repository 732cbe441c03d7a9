"""What a session says, as messages: the same words for a bench process and for a desk in this process."""

import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from qlab.service.channel import Message
from qlab.session import After, Command, Event, Order


class Speaking:
    """The half of `qlab.session.Session` that turns calls into messages; who has it gives `_send`."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._bench = ""  # the bench spoken of last: the one to make safe

    def _send(self, message: Message) -> None:
        """Pass a message on to whom it concerns; never waits."""
        raise NotImplementedError

    def submit(self, order: Order) -> str:
        """Queue a run; return its id."""
        run = str(uuid.uuid4())
        self._bench = order.bench
        self._send({"do": "submit", "run": run, "order": order.model_dump(mode="json")})
        return run

    def check(self, token: int, experiment: str, parameters: dict[str, Any], bench: str) -> None:
        """Ask whether parameters are good; answered by a `checked` event."""
        self._bench = bench
        about = {"experiment": experiment, "parameters": parameters, "bench": bench}
        self._send({"do": "check", "token": token, **about})

    def follow(
        self, token: int, program: Mapping[str, Any], point: int, bench: str, truth: Mapping[str, float]
    ) -> None:
        """Ask for the state along a sequence; answered by a `followed` event."""
        about = {"program": dict(program), "point": point, "bench": bench, "truth": dict(truth)}
        self._send({"do": "follow", "token": token, **about})

    def command(self, what: Command, run: str = "") -> None:
        """Say something to a run or to the queue; `make_safe` is for the bench spoken of last, too."""
        self._send({"do": what, "run": run, "bench": self._bench})

    def extend(self, run: str, passes: int) -> None:
        """Add passes to a run."""
        self._send({"do": "extend", "run": run, "passes": passes})

    def arrange(self, run: str, changes: Mapping[str, Any]) -> None:
        """Change a waiting run."""
        told = {
            name: value.model_dump() if isinstance(value, After) else value for name, value in changes.items()
        }
        self._send({"do": "arrange", "run": run, "changes": told})

    def panel(self, bench: str, watch: bool) -> None:
        """Ask for `panel` events of a bench, or for no more."""
        self._bench = bench
        self._send({"do": "panel", "bench": bench, "watch": watch})

    def set_knob(
        self, bench: str, instrument: str, knob: str, value: float | bool | str, *, take_over: bool = False
    ) -> None:
        """Set one knob by hand."""
        which = {"bench": bench, "instrument": instrument, "knob": knob}
        self._send({"do": "set_knob", **which, "value": value, "take_over": take_over})

    def watch(self, bench: str, rules: Sequence[Mapping[str, Any]]) -> None:
        """Replace the watchdog rules of a bench."""
        self._send({"do": "watch", "bench": bench, "rules": [dict(rule) for rule in rules]})

    def events(self) -> list[Event]:
        """Return the events since the last call."""
        fresh: list[Event] = []
        while self._events:
            fresh.append(self._events.popleft())
        return fresh

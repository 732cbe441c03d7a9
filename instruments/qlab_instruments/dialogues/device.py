"""A simulated device: states that commands set and queries read, with an error queue, from a TOML dialogue."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from qlab.errors import UsageError

_OPTIONS = ("separator", "error_query", "none", "undefined", "range", "says_errors", "frames")
FOLDER = Path(__file__).parent
_MARKS = {"[": "(?:", "]": ")?", "|": "|", "?": r"\?", " ...": r"(?:\s+.*)?"}


@dataclass
class State:
    """One quantity: how it is asked for and set (regular expressions), where it stands, what it may be."""

    ask: re.Pattern[str] | None
    set: re.Pattern[str] | None
    value: Any
    reply: str = "{:.9g}"
    limits: tuple[float, float] | None = None
    words: tuple[str, ...] = ()
    of: str = ""
    times: float = 1.0
    acknowledge: str = ""

    def shown(self) -> str:
        """Return the reply to a query."""
        return self.reply.format(self.value)

    def take(self, text: str) -> bool:
        """Take a value as it was written; return whether the device accepts it."""
        text = text.strip().strip('"')
        if self.words:
            found = [word for word in self.words if _abbreviates(text, word)]
            if found:
                self.value = _short(found[0])
            return bool(found)
        if text.upper() in {"ON", "OFF"}:
            text = "1" if text.upper() == "ON" else "0"
        try:
            number = float(text)
        except ValueError:
            return False
        if self.limits and not self.limits[0] <= number <= self.limits[1]:
            return False
        self.value = int(number) if "d}" in self.reply else number
        return True


@dataclass
class SimulatedDevice:
    """Answers messages; `hear` may be asked of any thread, one at a time.

    `say_first` answers a part of a message in place of the dialogue where it returns text; "" is no answer. `errors`
    are the texts of its queue, `none` is what the empty queue says.
    """

    states: dict[str, State]
    fixed: dict[str, str]
    separator: str = ";"
    error_query: str = ""
    none: str = '0,"No error"'
    undefined: str = '-113,"Undefined header"'
    range: str = '-222,"Data out of range"'
    frames: str = ""  # what one command looks like, where nothing ends it
    says_errors: bool = False  # at once, in place of a queue
    accepts: tuple[re.Pattern[str], ...] = ()
    errors: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    say_first: Callable[[str], str | None] | None = None

    @classmethod
    def read(cls, name: str | Path) -> Self:
        """Return the device of a dialogue: its name among ours ("srs.sg380"), a path, or the text itself."""
        if "\n" in str(name):
            return cls.of(tomllib.loads(str(name)))
        path = Path(name) if str(name).endswith(".toml") else FOLDER / f"{name}.toml"
        if not path.exists():
            raise UsageError(f"There is no dialogue {name}.", f"There are: {', '.join(dialogues())}.")
        return cls.of(tomllib.loads(path.read_text(encoding="utf-8")))

    @classmethod
    def of(cls, text: Mapping[str, Any]) -> Self:
        """Return the device that a dialogue describes."""
        plain = bool(text.get("plain"))
        states = {name: _state(entry, plain=plain) for name, entry in text.get("state", {}).items()}
        fixed = {"*IDN?": text.get("identity", ""), "*OPC?": "1", **text.get("fixed", {})}
        accepts = tuple(_header(entry, plain=plain) for entry in text.get("accepts", ()))
        accepts += tuple(re.compile(entry) for entry in text.get("accept_patterns", ()))
        options = {k: text[k] for k in _OPTIONS if k in text}
        return cls(states, fixed, accepts=accepts, **options)

    def hear(self, message: str) -> list[str]:
        """Return the replies to a message."""
        if self.frames:
            replies = [self._part(found[0]) for found in re.finditer(self.frames, message)]
            return [reply for reply in replies if reply is not None]
        self.heard.append(message)
        # A block of bytes may hold anything: such a message is one command.
        whole = not self.separator or re.search(r"#[1-9]\d", message)
        parts = [message] if whole else message.split(self.separator)
        return [reply for part in parts if part.strip() and (reply := self._part(part.strip())) is not None]

    def _part(self, part: str) -> str | None:
        own = self.say_first(part) if self.say_first is not None else None
        if own is not None:
            return own or None
        if part in self.fixed:
            return self.fixed[part]
        if self.error_query and part.lstrip(":").upper() == self.error_query.upper():
            return self.errors.pop(0) if self.errors else self.none
        if part.upper() == "*CLS":
            self.errors.clear()
            return None
        return self._state(part)

    def _state(self, part: str) -> str | None:
        part, _, end = part.partition("? ") if re.search(r"\? (MIN|MAX)$", part) else (part, "", "")
        part += "?" if end else ""
        for state in self.states.values():
            if end and state.limits and state.ask is not None and state.ask.fullmatch(part):
                return state.reply.format(state.limits[end == "MAX"])
            if state.ask is not None and state.ask.fullmatch(part):
                source = self.states[state.of] if state.of else state
                return state.reply.format(source.value * state.times if state.of else source.value)
            if state.set is not None and (found := state.set.fullmatch(part)):
                if not state.take(found["value"]):
                    self.errors.append(self.range)
                return state.acknowledge or None
        if any(pattern.fullmatch(part) for pattern in self.accepts):
            return None
        if self.says_errors:
            return self.undefined
        self.errors.append(self.undefined)
        return None


def dialogues() -> list[str]:
    """Return the names of our dialogues."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def _state(entry: Mapping[str, Any], *, plain: bool) -> State:
    header = entry.get("header", "")
    ask = entry.get("ask", f"{header}?" if header else "")
    setter = entry.get("set", header)
    limits = entry.get("limits")
    return State(
        ask=_header(ask, plain=plain) if ask else None,
        set=_setter(setter, plain=plain) if setter and not entry.get("only_read") else None,
        value=entry.get("value", 0.0),
        reply=entry.get("reply", "{}" if "words" in entry else "{:.9g}"),
        limits=tuple(limits) if limits else None,
        words=tuple(entry.get("words", ())),
        of=entry.get("of", ""),
        times=float(entry.get("times", 1.0)),
        acknowledge=entry.get("acknowledge", ""),
    )


def _setter(header: str, *, plain: bool) -> re.Pattern[str]:
    if "?P<value>" in header:
        return re.compile(header)
    if plain:
        return re.compile(rf"{header}\s*(?P<value>\S.*)")
    return re.compile(rf"{_header(header, plain=False).pattern}\s+(?P<value>\S.*)", re.IGNORECASE)


def _header(text: str, *, plain: bool) -> re.Pattern[str]:
    """Return what matches every legal way to write a command of a manual: `[SOURce:]FREQuency[:CW|:FIXed]?`."""
    if plain:
        return re.compile(text)
    out = ":?"
    for token in re.finditer(r"\[|\]|\||:|\?|[A-Za-z*]+|\d+|\s\S.*|.", text):
        word = token[0]
        out += _MARKS.get(word) or _word(word)
    return re.compile(out, re.IGNORECASE)


def _word(word: str) -> str:
    if not word.isalpha():
        return re.escape(word)
    short = _short(word)
    return f"{short}(?:{word[len(short) :]})?" if len(short) < len(word) else word


def _short(word: str) -> str:
    """Return the capitals that a word begins with: SINusoid is SIN."""
    found = re.match(r"[A-Z0-9]+", word)
    return found[0] if found else word


def _abbreviates(text: str, word: str) -> bool:
    return text.upper() in {word.upper(), _short(word).upper()}

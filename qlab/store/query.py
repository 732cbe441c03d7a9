"""The search language of the library: words, fields, dates and ranges of parameters and figures, as SQL."""

import contextlib
import difflib
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from qlab.errors import UsageError
from qlab.units import parse_quantity

Value = str | float
_TOKEN = re.compile(r'-?\w+:"[^"]*"|-?"[^"]*"|\S+')
_NUMBER = re.compile(r"([^\W\d][\w.*/₀-₉]*)(<=|>=|!=|<|>|=)(.+)")
_KEY = re.compile(r"[A-Za-z_]\w*")
_ROOT = re.compile(r"/\s*(?:√Hz|sqrt\(Hz\)|rtHz|Hz\^0\.5)$")
_YES, _NO = {"yes", "true", "1", ""}, {"no", "false", "0"}
_TEXT_FIELDS = {"experiment": "experiment", "state": "state", "sample": "sample", "operator": "operator",
                "title": "title", "id": "run", "note": "notes", "notes": "notes"}  # fmt: skip
FIELDS = (*_TEXT_FIELDS, "tag", "date", "star", "simulated", "is")


@dataclass(frozen=True)
class Where:
    """A condition on the table `runs`, with its values."""

    sql: str = "1"
    values: tuple[Value, ...] = ()


def where(query: str, today: date | None = None) -> Where:
    """Return the condition that a query stands for; raise UsageError where part of it cannot be understood.

    Every word must begin a word of what is known of a run; `"two words"` stand together; `-` in front leaves runs
    out. `experiment:ramsey state:finished sample:A3 operator:… title:… tag:cold is:star simulated:no`, `date:today`,
    `date:this-week`, `date:last-7-days`, `date:2026-11`, `date:2026-11-01..2026-11-15`, `date:>2026-11-01`;
    `t2>2us`, `shots=1000`, `B=1mT..3mT` for parameters, figures of merit and fitted values (a swept parameter
    matches with any of its values).
    """
    conditions = [_condition(token, today or datetime.now().astimezone().date()) for token in _tokens(query)]
    if not conditions:
        return Where()
    return Where(
        " and ".join(f"({c.sql})" for c in conditions), tuple(value for c in conditions for value in c.values)
    )


def plain_name(name: str) -> str:
    """Return a name as it is compared: `T₂*`, `T2_star` and `t2star` are one."""
    text = unicodedata.normalize("NFKC", name).lower().replace("*", "star")
    return "".join(character for character in text if character.isalnum())


def _tokens(query: str) -> Iterator[str]:
    for match in _TOKEN.finditer(query):
        if token := match[0].strip():
            yield token


def _condition(token: str, today: date) -> Where:
    if token.startswith("-") and len(token) > 1:
        inner = _condition(token[1:], today)
        return Where(f"not ({inner.sql})", inner.values)
    key, colon, rest = token.partition(":")
    if colon and (field := key.lower()) in FIELDS:
        return _field(field, rest.strip('"'), today)
    if colon and rest and _KEY.fullmatch(key):
        raise _unknown(key)
    if match := _NUMBER.fullmatch(token):
        return _number(match[1], match[2], match[3])
    return _words(token.strip('"') or token)


def _unknown(key: str) -> UsageError:
    close = difflib.get_close_matches(key.lower(), FIELDS, n=1, cutoff=0.6)
    meant = f"Did you mean {close[0]}:? " if close else ""
    return UsageError(
        f"Runs cannot be searched by {key}:.",
        f"{meant}There are {', '.join(f'{name}:' for name in FIELDS)}; put a word with a colon in quotes.",
    )


def _words(text: str) -> Where:
    term = '"' + text.replace('"', '""') + '"*'
    return Where("id in (select rowid from words where words match ?)", (term,))


def _field(field: str, text: str, today: date) -> Where:
    if field == "is":
        if text.lower() not in {"star", "starred", "simulated"}:
            raise UsageError(f"is:{text} is not known.", "Write is:star or is:simulated.")
        field, text = ("simulated" if text.lower() == "simulated" else "star"), "yes"
    if field in {"star", "simulated"}:
        if text.lower() not in _YES | _NO:
            raise UsageError(f"{field}:{text} is neither yes nor no.", f"Write {field}:yes or {field}:no.")
        return Where(f"{field} = ?", (float(text.lower() in _YES),))
    if field == "tag":
        return Where("id in (select run from tags where tag like ? escape '!')", (_like(text.lower()),))
    if field == "date":
        return _date(text, today)
    whole = "" if field in {"state", "id"} else "%"
    return Where(f"{_TEXT_FIELDS[field]} like ? escape '!'", (f"{whole}{_like(text)}%",))


def _like(text: str) -> str:
    for special in "!%_":
        text = text.replace(special, f"!{special}")
    return text.replace("*", "%")


def _date(text: str, today: date) -> Where:
    if match := re.fullmatch(r"(<=|>=|<|>)(.+)", text):
        begins, ends = _span(match[2], today)
        edge = ends if match[1] in {"<=", ">"} else begins
        return Where(f"moment {'<' if '<' in match[1] else '>='} ?", (_seconds(edge),))
    first, dots, last = text.partition("..")
    begins = _span(first, today)[0] if first or not dots else date(1970, 1, 2)
    ends = (
        _span(last, today)[1]
        if dots and last
        else (today + timedelta(days=2) if dots else _span(first, today)[1])
    )
    return Where("moment >= ? and moment < ?", (_seconds(begins), _seconds(ends)))


def _span(text: str, today: date) -> tuple[date, date]:
    """Return the first day of a period and the one after its last."""
    word = text.lower().replace(" ", "-")
    if word in _PERIODS:
        return _PERIODS[word](today)
    if match := re.fullmatch(r"last-(\d{1,5})-days", word):
        return today - timedelta(days=int(match[1]) - 1), today + timedelta(days=1)
    if match := re.fullmatch(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?", word):
        year, month, day = int(match[1]), int(match[2] or 1), int(match[3] or 1)
        with contextlib.suppress(ValueError, OverflowError):
            first = date(year, month, day)
            if match[3]:
                return first, first + timedelta(days=1)
            return first, (_month_after(first) if match[2] else date(year + 1, 1, 1))
    raise UsageError(
        f"date:{text} is not a date.",
        "Write date:today, date:this-week, date:2026-11 or date:2026-11-01..2026-11-15.",
    )


def _week(today: date) -> date:
    return today - timedelta(days=today.weekday())


def _month_after(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _month_before(today: date) -> tuple[date, date]:
    first = today.replace(day=1)
    return (first - timedelta(days=1)).replace(day=1), first


_PERIODS: dict[str, Callable[[date], tuple[date, date]]] = {
    "today": lambda day: (day, day + timedelta(days=1)),
    "yesterday": lambda day: (day - timedelta(days=1), day),
    "this-week": lambda day: (_week(day), _week(day) + timedelta(days=7)),
    "last-week": lambda day: (_week(day) - timedelta(days=7), _week(day)),
    "this-month": lambda day: (day.replace(day=1), _month_after(day)),
    "last-month": _month_before,
    "this-year": lambda day: (date(day.year, 1, 1), date(day.year + 1, 1, 1)),
    "last-year": lambda day: (date(day.year - 1, 1, 1), date(day.year, 1, 1)),
}


def _seconds(day: date) -> float:
    return datetime(day.year, day.month, day.day).astimezone().timestamp()


def _number(name: str, sign: str, text: str) -> Where:
    low_text, dots, high_text = text.partition("..")
    if dots and sign not in {"=", "!="}:
        raise UsageError(f"{name}{sign}{text} mixes a bound and a range.", f"Write {name}={text}.")
    low, unit = _quantity(low_text)
    high, unit_2 = _quantity(high_text) if dots else (low, unit)
    unit = unit_2 if unit_2 != "" else unit
    # What is typed has a few digits, what was computed has all.
    slack = 0.0 if dots else 1e-6 * abs(low)
    tests = {
        "<": ("low < ?", (low,)), "<=": ("low <= ?", (low + slack,)), ">": ("high > ?", (low,)),
        ">=": ("high >= ?", (low - slack,)), "=": ("high >= ? and low <= ?", (low - slack, high + slack)),
        "!=": ("(high < ? or low > ?)", (low - slack, high + slack)),
    }  # fmt: skip
    test, values = tests[sign]
    of_unit, named = (" and unit = ?", (unit,)) if unit else ("", ())
    return Where(
        f"id in (select run from numbers where name = ? and {test}{of_unit})",  # noqa: S608 - our own words
        (plain_name(name), *values, *named),
    )


def _quantity(text: str) -> tuple[float, str]:
    """Return a typed quantity in its SI unit, and that unit; no unit where none was typed."""
    root = _ROOT.search(text)
    body = text[: root.start()] if root else text
    typed = re.sub(r"^\s*[-+]?[\d.]+(?:[eE][-+]?\d+)?\s*", "", body)
    if typed in {"dBm", "dB"}:
        return parse_quantity(body.removesuffix(typed), "1"), typed
    units = ("Hz", "rad", "s", "T", "V", "A", "W", "K", "m")
    unit = next((u for u in units if typed == u or (typed.endswith(u) and len(typed) <= len(u) + 2)), "")
    if typed in {"G", "mG", "kG"}:
        unit = "T"
    value = parse_quantity(body, unit or "1")
    return value, f"{unit}/√Hz" if root else unit

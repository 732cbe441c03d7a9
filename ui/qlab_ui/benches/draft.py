"""A bench while it is edited: plain data, as its file will have it."""

import copy
import re
import tomllib
from collections.abc import Mapping
from typing import Any


class Draft:
    """Instruments, roles and world of a bench that may be half made; what the editor does not show is kept as it is."""

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        self.data: dict[str, Any] = copy.deepcopy(dict(data or {}))
        self.data.setdefault("instruments", {})
        self.data.setdefault("roles", {})

    @property
    def instruments(self) -> dict[str, dict[str, Any]]:
        """The instruments by name."""
        found: dict[str, dict[str, Any]] = self.data["instruments"]
        return found

    @property
    def calibrations(self) -> list[dict[str, Any]]:
        """What was found out about the bench and is relied on."""
        found: list[dict[str, Any]] = self.data.setdefault("calibrations", [])
        return found

    @property
    def roles(self) -> dict[str, str]:
        """Role -> the name of the instrument in it."""
        found: dict[str, str] = self.data["roles"]
        return found

    def add(self, driver: str) -> str:
        """Add an instrument; return the name it has got, made of its driver's."""
        stem = re.sub(r"\W+", "_", driver.rpartition(".")[2]).strip("_") or "instrument"
        stem = f"i{stem}" if stem[0].isdigit() else stem
        name, number = stem, 1
        while name in self.instruments:
            number += 1
            name = f"{stem}_{number}"
        self.instruments[name] = {"driver": driver}
        return name

    def remove(self, name: str) -> None:
        """Take an instrument out, and out of its roles."""
        self.instruments.pop(name, None)
        self.data["roles"] = {role: holder for role, holder in self.roles.items() if holder != name}

    def rename(self, old: str, new: str) -> bool:
        """Give an instrument another name; return whether it could have it."""
        if new == old:
            return True
        if not re.fullmatch(r"[A-Za-z_]\w*", new) or new in self.instruments:
            return False
        self.data["instruments"] = {new if n == old else n: item for n, item in self.instruments.items()}
        self.data["roles"] = {role: new if holder == old else holder for role, holder in self.roles.items()}
        self._follow(old, new)
        return True

    def _follow(self, old: str, new: str) -> None:
        """Let what is said of an instrument's knobs elsewhere in the file follow its new name."""

        def renamed(knob: str) -> str:
            which, dot, name = knob.partition(".")
            return f"{new}{dot}{name}" if which == old else knob

        for part, key in (("calibrations", "knob"), ("watch", "readout")):
            for item in self.data.get(part) or ():
                if key in item:
                    item[key] = renamed(item[key])
        for step in self.data.get("upkeep") or ():
            for key in ("set", "track"):
                if key in step:
                    step[key] = {renamed(knob): fitted for knob, fitted in step[key].items()}
        for sample in (self.data.get("samples") or {}).values():
            if "limits" in sample:
                sample["limits"] = {renamed(name): limits for name, limits in sample["limits"].items()}

    def put(self, name: str, part: str, key: str, value: Any) -> None:
        """Set a value of a part of an instrument ("options", "limits", "safe"); None takes it out."""
        item = self.instruments[name]
        held = dict(item.get(part) or {})
        if value is None:
            held.pop(key, None)
        else:
            held[key] = value
        if held:
            item[part] = held
        else:
            item.pop(part, None)

    def give_role(self, role: str, name: str, *, on: bool) -> None:
        """Put an instrument into a role, or take it out of it."""
        if on:
            self.roles[role] = name
        elif self.roles.get(role) == name:
            del self.roles[role]

    def set_world(self, kind: str) -> None:
        """Let simulated instruments share a world; none where `kind` is empty."""
        if not kind:
            self.data.pop("world", None)
        elif (self.data.get("world") or {}).get("kind") != kind:
            self.data["world"] = {"kind": kind}


def typed(words: str) -> Any:
    """Return an option as a bench file would have it: true and false, numbers, lists and tables, else text."""
    text = words.strip()
    if text[:1] in {"[", "{"}:
        try:
            return tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            return text
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text

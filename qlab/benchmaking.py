"""Making a bench file: drivers chosen by what instruments say of themselves, and roles that they fit."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from qlab.conformance import ROLES, fitting
from qlab.errors import UsageError
from qlab.instrument import Instrument
from qlab.registry import load, plugins


@dataclass(frozen=True)
class Found:
    """An instrument that answers: where, what it says, and the drivers that know it."""

    address: str
    says: str
    drivers: tuple[str, ...]

    @property
    def serial(self) -> str:
        """Its serial number, where it tells one."""
        fields = [part.strip() for part in self.says.split(",")]
        return fields[2] if len(fields) > 2 else ""


def recognise(answers: Iterable[tuple[str, str]]) -> list[Found]:
    """Return who answers where, with the drivers that fit."""
    known = _identities()
    return [
        Found(
            address,
            says,
            tuple(name for name, pattern in known if says and re.search(pattern, says, re.IGNORECASE)),
        )
        for address, says in answers
    ]


def _identities() -> list[tuple[str, str]]:
    """Return the drivers that say which identity they want."""
    found = []
    for name in plugins("instruments"):
        if name.startswith("sim."):
            continue
        try:
            driver = load("instruments", name)
        except UsageError:
            continue  # a broken plug-in is told by `qlab doctor`
        pattern = getattr(driver, "identifies", "")
        if isinstance(pattern, str) and pattern:
            found.append((name, pattern))
    return found


def proposal(title: str, found: Sequence[Found], world: str = "") -> str:
    """Return a bench file with the instruments that have a driver; with a `world`, simulated ones fill the roles left.

    What answers and has no driver stands in it as a comment.
    """
    platform = _preset(world).get("platform", "") if world else ""
    lines = [f"title = {json.dumps(title)}", f"platform = {json.dumps(platform)}", ""]
    roles: dict[str, str] = {}
    for number, one in enumerate(found):
        if not one.drivers:
            said = one.says or "a serial port: not asked"
            lines += [f"# {one.address}: {said}", ""]
            continue
        name = _name(one.drivers[0], [*roles.values()], number)
        lines += [f"[instruments.{name}]  # {one.says}", f"driver = {json.dumps(one.drivers[0])}"]
        if len(one.drivers) > 1:
            lines.append(f"# these know it too: {', '.join(one.drivers[1:])}")
        options = f"address = {json.dumps(one.address)}"
        if one.serial and not _says_itself(one.drivers[0]):
            options += f", serial = {json.dumps(one.serial)}"
        lines += [f"options = {{{options}}}", *_suggested(name, one.drivers[0]), ""]
        for role in _roles(one.drivers[0]):
            roles.setdefault(role, name)
    lines += _simulated(world, roles)
    lines += ["[roles]"] + [f"{role} = {json.dumps(name)}" for role, name in roles.items()]
    return "\n".join(lines) + "\n"


def _roles(driver: str) -> list[str]:
    kind = load("instruments", driver)
    if not (isinstance(kind, type) and issubclass(kind, Instrument)):
        return []
    made = Instrument.__new__(kind)
    found = fitting(made)
    return [role for role in found if role not in {"reference", "phase_shifter", "camera"}] or found


def _says_itself(driver: str) -> bool:
    """Return whether a driver finds identity and serial number in its own way."""
    kind = load("instruments", driver)
    return getattr(kind, "who", "*IDN?") != "*IDN?"


def _suggested(name: str, driver: str) -> list[str]:
    """Return the limits and safe values of a driver as comments, to be narrowed."""
    kind = load("instruments", driver)
    knobs = kind.knobs() if isinstance(kind, type) and issubclass(kind, Instrument) else {}
    limits = [
        f"# {n} = [{k.limits[0]:g}, {k.limits[1]:g}]  # {k.unit}" for n, k in knobs.items() if _limited(k)
    ]
    return (
        [f"[instruments.{name}.limits]  # narrower than the device's own, where your setup wants it", *limits]
        if limits
        else []
    )


def _limited(knob: Any) -> bool:
    low, high = knob.limits
    return knob.settable and knob.kind is float and not knob.labels and abs(low) < 1e30 and abs(high) < 1e30


def _name(driver: str, taken: Sequence[str], number: int) -> str:
    stem = re.sub(r"\W+", "_", driver.rpartition(".")[2])
    stem = f"i{stem}" if stem[:1].isdigit() else stem
    return stem if stem not in taken else f"{stem}_{number}"


def _simulated(world: str, roles: dict[str, str]) -> list[str]:
    if not world:
        return []
    entry = _preset(world)
    lines = ["[world]", f"kind = {json.dumps(entry['world']['kind'])}", ""]
    for role, name in entry["roles"].items():
        if role in roles:
            continue
        lines += [
            f"[instruments.sim_{name}]",
            f"driver = {json.dumps(entry['instruments'][name]['driver'])}",
            "",
        ]
        roles[role] = f"sim_{name}"
    return lines


def _preset(world: str) -> dict[str, Any]:
    preset = f"sim-{world}"
    if preset not in plugins("benches"):
        raise UsageError(
            f"There is no simulated bench {preset!r}.", f"There are: {', '.join(plugins('benches'))}."
        )
    made: dict[str, Any] = plugins("benches")[preset].load()()
    return made


def unknown_roles(roles: Iterable[str]) -> list[str]:
    """Return the roles of a bench that no experiment of ours asks for by that name."""
    return [
        role for role in roles if role not in ROLES and role.rstrip("0123456789").rstrip("_") not in ROLES
    ]

"""Where profiles are kept: one TOML file each beside the settings, and which of them is in use."""

import json
import os
import re
import secrets
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from qlab.errors import FileError, UsageError
from qlab.profile.model import Profile
from qlab.profile.typed import faults
from qlab.settings import config_folder

DEFAULT = "default"


def _folder() -> Path:
    return config_folder() / "profiles"


def names() -> list[str]:
    """Return the names of all profiles."""
    return sorted({DEFAULT, *(path.stem for path in _folder().glob("*.toml"))})


def active() -> str:
    """Return the name of the profile in use."""
    try:
        chosen = (_folder() / "in-use").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return DEFAULT
    return chosen if chosen in names() else DEFAULT


def use(name: str) -> None:
    """Take a profile into use; raise UsageError where there is none of that name."""
    if name not in names():
        raise UsageError(f"There is no profile {name!r}.", f"There are: {', '.join(names())}.")
    _write(_folder() / "in-use", name)


def create(name: str, start: Profile | None = None) -> None:
    """Add a profile, by default an empty one; raise UsageError where the name is taken or no file name."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}", name):
        raise UsageError(f"{name!r} cannot be the name of a profile.", "Use letters, digits, - and _.")
    if (_folder() / f"{name}.toml").exists():
        raise UsageError(f"There is a profile {name!r} already.", f"Use it: qlab profile use {name}.")
    save(start or Profile(), name)


def load(name: str = "") -> Profile:
    """Return a profile, the one in use by default; raise FileError where its file is damaged or wrong.

    The pseudonym is made up once for this installation where nobody chose one.
    """
    path = _folder() / f"{name or active()}.toml"
    try:
        profile = Profile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        profile = Profile()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise FileError(
            f"The profile {path.name} cannot be read: {why}.", "Mend it, or remove it."
        ) from error
    for key, fault in faults(profile):
        if key not in {"access", "embargo"} and not key.endswith(".number"):
            raise FileError(f"The profile {path.name} has a bad {key}: {fault.message}", fault.hint)
    return profile if profile.pseudonym else profile.model_copy(update={"pseudonym": pseudonym()})


def save(profile: Profile, name: str = "") -> Path:
    """Keep a profile, replacing its file in one step, and return where it is."""
    path = _folder() / f"{name or active()}.toml"
    _write(path, _toml(profile.model_dump()))
    return path


def pseudonym() -> str:
    """Return the pseudonym of this installation: random, made once."""
    path = config_folder() / "operator"
    try:
        if found := path.read_text(encoding="utf-8").strip()[:40]:
            return found
    except (OSError, UnicodeDecodeError):
        pass
    made = f"operator-{secrets.token_hex(3)}"
    try:
        _write(path, made)
    except FileError:
        return "operator-unknown"
    return made


def _write(path: Path, content: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.write_text(content, encoding="utf-8")
        draft.chmod(0o600)
        draft.replace(path)
    except OSError as error:
        raise FileError(
            f"{path.name} cannot be written: {error.strerror}.", "Check the folder of settings."
        ) from error


def _toml(data: Mapping[str, Any]) -> str:
    """Return plain data as TOML: texts and lists of texts, then tables, then lists of tables."""
    lines = [f"{key} = {_toml_value(value)}" for key, value in data.items() if value and not _is_table(value)]
    for key, value in data.items():
        if isinstance(value, Mapping) and any(value.values()):
            lines += ["", f"[{key}]", *(f"{k} = {_toml_value(v)}" for k, v in value.items() if v)]
        elif isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
            for item in value:
                lines += ["", f"[[{key}]]", *(f"{k} = {_toml_value(v)}" for k, v in item.items() if v)]
    return "\n".join(lines) + "\n"


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, list | tuple) and isinstance(value[0], Mapping))


def _toml_value(value: Any) -> str:
    # A JSON text without control characters (there are none in a checked profile) is a TOML text.
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False).replace(
        "\x7f", ""
    )

"""The catalogue of the last start, so that the form is there at once at the next one."""

import json
import os
from typing import Any

from qlab.settings import config_folder


def load() -> list[dict[str, Any]]:
    """Return the catalogue of the last start; nothing where there is none or it is damaged."""
    try:
        raw = json.loads((config_folder() / "catalogue.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [entry for entry in raw if _whole(entry)] if isinstance(raw, list) else []


def save(catalogue: list[dict[str, Any]]) -> None:
    """Keep a catalogue; that it cannot be kept does no harm."""
    folder = config_folder()
    draft = folder / f".catalogue.{os.getpid()}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(catalogue), encoding="utf-8")
        draft.replace(folder / "catalogue.json")
    except (OSError, TypeError, ValueError):
        draft.unlink(missing_ok=True)


def _whole(entry: Any) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        return False
    fields = entry.get("fields", [])
    return isinstance(fields, list) and all(
        isinstance(f, dict) and isinstance(f.get("name"), str) for f in fields
    )

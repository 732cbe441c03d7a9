"""What the bench had to offer at the last start, so that form and chooser are there at once at the next one."""

import json
import os
from typing import Any

from qlab.settings import config_folder

Entries = list[dict[str, Any]]


def load() -> tuple[Entries, Entries]:
    """Return the catalogue and the benches of the last start; nothing where there is none or it is damaged."""
    try:
        raw = json.loads((config_folder() / "catalogue.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return [], []
    if not isinstance(raw, dict):
        return [], []
    catalogue, benches = raw.get("catalogue"), raw.get("benches")
    return (
        [entry for entry in catalogue if _whole(entry)] if isinstance(catalogue, list) else [],
        [bench for bench in benches if _bench(bench)] if isinstance(benches, list) else [],
    )


def save(catalogue: Entries, benches: Entries) -> None:
    """Keep what a bench process offers; that it cannot be kept does no harm."""
    folder = config_folder()
    draft = folder / f".catalogue.{os.getpid()}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps({"catalogue": catalogue, "benches": benches}), encoding="utf-8")
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


def _bench(entry: Any) -> bool:
    return isinstance(entry, dict) and all(isinstance(entry.get(key), str) for key in ("name", "title"))

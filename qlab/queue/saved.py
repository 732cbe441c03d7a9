"""The queue on disk: one JSON file, replaced in one step, so that it survives its process and its machine."""

import json
import os
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from qlab.queue.history import History
from qlab.queue.item import Item, Outcome
from qlab.queue.study import Point


class Going(BaseModel):
    """A run that had begun when the file was written: what is needed to recover it."""

    run: str
    item: str
    order: dict[str, Any]
    path: str = ""
    number: int = 0
    point: Point = Point()


class Saved(BaseModel):
    """All that the queue remembers."""

    held: bool = False
    items: list[Item] = []
    going: list[Going] = []
    outcomes: dict[str, Outcome] = {}
    history: History = History()
    rules: dict[str, list[dict[str, Any]]] = {}


def write(saved: Saved, path: Path) -> None:
    """Write the queue, replacing the file in one step; on disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    with draft.open("w", encoding="utf-8") as file:
        file.write(saved.model_dump_json())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def read(path: Path) -> tuple[Saved, str]:
    """Return the queue of a file and what is wrong with it; a damaged file is set aside, never overwritten."""
    try:
        return Saved.model_validate(json.loads(path.read_text(encoding="utf-8"))), ""
    except FileNotFoundError:
        return Saved(), ""
    except (OSError, ValueError, ValidationError) as error:
        aside = path.with_suffix(".damaged.json")
        try:
            path.replace(aside)
        except OSError:
            aside = path
        return Saved(), f"The queue could not be read ({type(error).__name__}); what it was is in {aside}."

"""Settings of a person on a machine: a JSON file that heals, and the folders that go with it."""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import BaseModel, ConfigDict, ValidationError


class Settings(BaseModel):
    """What qlab remembers between starts. Unknown keys are kept, damaged values fall back to their default."""

    model_config = ConfigDict(extra="allow", validate_assignment=True)

    data_folder: str = ""
    theme: str = "system"
    text_size: int = 100
    bench: str = "sim-nv"
    experiment: str = "nv.ramsey"
    pace_seconds: float = 8.0
    recent_files: list[str] = []
    recent_titles: dict[str, str] = {}
    pinned_files: list[str] = []
    last_values: dict[str, dict[str, Any]] = {}
    presets: dict[str, dict[str, dict[str, Any]]] = {}
    runs_shown: str = "table"  # or "grid", of pictures
    reveal: bool = False  # show the hidden truth of simulated runs
    expected_curve: bool = False
    window_geometry: str = ""
    window_layout: str = ""

    def folder(self) -> Path:
        """Return the folder in which runs are kept."""
        return Path(self.data_folder).expanduser() if self.data_folder else Path.home() / "qlab" / "data"


def config_folder() -> Path:
    """Return the folder of the settings (`QLAB_CONFIG` overrides it)."""
    if given := os.environ.get("QLAB_CONFIG"):
        return Path(given)
    return Path(platformdirs.user_config_dir("qlab", appauthor=False))


def benches_folder() -> Path:
    """Return the folder of a person's own bench files, beside the settings."""
    return config_folder() / "benches"


def runtime_folder() -> Path:
    """Return the folder of live tables and sockets (`QLAB_RUNTIME` overrides it), made where it is missing."""
    if given := os.environ.get("QLAB_RUNTIME"):
        folder = Path(given)
    elif sys.platform.startswith("linux") and not os.environ.get("XDG_RUNTIME_DIR"):
        # No login session, as in a container: a private folder among the temporary files.
        folder = Path(tempfile.gettempdir()) / f"qlab-{os.getuid()}"
    else:
        folder = Path(platformdirs.user_runtime_dir("qlab", appauthor=False))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def state_folder() -> Path:
    """Return the folder of what must survive a restart of the machine (`QLAB_STATE` overrides it)."""
    if given := os.environ.get("QLAB_STATE"):
        return Path(given)
    return Path(platformdirs.user_state_dir("qlab", appauthor=False))


def default_spool() -> Path:
    """Return the folder for runs whose own folder failed (`QLAB_SPOOL` overrides it); it outlives a reboot."""
    if given := os.environ.get("QLAB_SPOOL"):
        return Path(given)
    if os.environ.get("QLAB_RUNTIME"):
        return runtime_folder() / "spool"
    return Path(platformdirs.user_state_dir("qlab", appauthor=False)) / "spool"


def load_settings() -> tuple[Settings, list[str]]:
    """Read the settings; never fail. Returns them with one line for each thing that had to be healed."""
    path = config_folder() / "settings.json"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings(), []
    except (OSError, ValueError) as error:
        kept = _set_aside(path)
        return Settings(), [
            f"The settings could not be read ({error}); defaults are used, the old file is {kept}."
        ]
    if not isinstance(raw, dict):
        return Settings(), [
            f"The settings were not a table; defaults are used, the old file is {_set_aside(path)}."
        ]
    healed: list[str] = []
    while True:
        try:
            return Settings(**raw), healed
        except ValidationError as error:
            for name in {str(item["loc"][0]) for item in error.errors()}:
                healed.append(f"The setting {name!r} was damaged and is back at its default.")
                raw.pop(name, None)


def save_settings(settings: Settings) -> None:
    """Write the settings, replacing the file in one step."""
    folder = config_folder()
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".settings.{os.getpid()}.json"
    draft.write_text(settings.model_dump_json(indent=2), encoding="utf-8")
    draft.replace(folder / "settings.json")


def _set_aside(path: Path) -> str:
    aside = path.with_suffix(".damaged.json")
    try:
        path.replace(aside)
    except OSError:
        return str(path.name)
    return str(aside.name)

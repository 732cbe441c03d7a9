"""Where a run comes from: its record before the first row, the versions that take part, the clock."""

import json
import os
import platform
import subprocess
import uuid
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Any

from qlab.bench import Bench
from qlab.errors import QlabError, UsageError
from qlab.experiment import Experiment
from qlab.fair.vocabulary import described
from qlab.profile import Profile, load
from qlab.profile.kept import pseudonym
from qlab.record import Record
from qlab.settings import config_folder

_PACKAGES = ("qlab-metrology", "numpy", "scipy", "qutip", "h5py", "lmfit", "pydantic")


def new_record(
    experiment: Experiment[Any], name: str, bench: Bench, rows: int, seed: int | None, title: str, run_id: str
) -> Record:
    """Return the record of a run that is about to start: all that is known before the first command."""
    return Record(
        id=run_id or str(uuid.uuid4()),
        experiment=name,
        title=_one_line(title) or type(experiment).title or name,
        parameters=experiment.parameters.to_dict(),
        units={
            name: type(experiment.parameters).unit_of(name)
            for name in type(experiment.parameters).model_fields
        },
        columns=experiment.columns(),
        axes=experiment.axes(),
        signals=experiment.signals(),
        fit=experiment.fit_model,
        fit_context=experiment.fit_context(),
        expected_rows=rows,
        simulated=bench.simulated,
        solver=str(getattr(bench.world, "solver", "")),
        streams=experiment.streams(),
        calibrations=bench.calibrations(experiment.uses()),
        seed=_chosen_seed(bench, seed),
        quantum=described(
            type(experiment).quantum,
            platform=bench.entry.platform,
            unit=next((signal.unit for signal in experiment.signals()), ""),
        ),
        software=software(),
        profile=profile_in_use(),
        description=(type(experiment).__doc__ or "").strip(),
        started=clock(),
    )


def profile_in_use() -> Profile:
    """Return the profile in use; only the pseudonym where its file is damaged: no run waits for a form."""
    try:
        return load()
    except QlabError:
        return Profile(pseudonym=pseudonym())


def _one_line(title: str) -> str:
    """Return a title without line breaks and control characters, which a terminal would obey."""
    return " ".join("".join(c if c.isprintable() else " " for c in title).split())


def _chosen_seed(bench: Bench, seed: int | None) -> int | None:
    if bench.world is None:
        return seed
    chosen = seed if seed is not None else bench.seed
    if chosen is None:
        chosen = int.from_bytes(os.urandom(4), "little")
    if not 0 <= chosen < 2**63:
        raise UsageError(f"{chosen} is not a seed.", "Give a whole number from 0 to 2^63 - 1.")
    return chosen


def software() -> dict[str, str]:
    """Return the versions of what takes part in a run."""
    found = {"python": platform.python_version(), "system": platform.system(), "machine": platform.machine()}
    found["installation"] = installation_id()
    if revision := commit():
        found["commit"] = revision
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed as a package"
    return found


def installation_id() -> str:
    """Return the random number by which this installation's runs are known as its own; no name of the machine."""
    path = config_folder() / "installation"
    try:
        if (known := path.read_text(encoding="ascii").strip()) and str(uuid.UUID(known)) == known:
            return known
    except (OSError, ValueError):
        pass
    fresh = str(uuid.uuid4())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(fresh, encoding="ascii")
    except OSError:
        return "unknown"
    return fresh


@cache
def commit() -> str:
    """Return the commit of a source tree that qlab runs from, `+changes` where it was changed; empty elsewhere."""
    root = Path(__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return _installed_commit()
    try:
        head = _git(root, "rev-parse", "HEAD")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return ""
    return head + ("+changes" if changed else "")


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(root), *words],  # noqa: S607 - whichever git this machine has
        capture_output=True, text=True, timeout=5, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def _installed_commit() -> str:
    """Return the commit that pip installed from, where it came from a repository."""
    try:
        text = distribution("qlab-metrology").read_text("direct_url.json")
        return str(json.loads(text or "{}").get("vcs_info", {}).get("commit_id", ""))
    except (PackageNotFoundError, ValueError, AttributeError):
        return ""


def clock() -> str:
    """Return the time of day with its offset, as ISO 8601."""
    return datetime.now(UTC).astimezone().isoformat(timespec="milliseconds")

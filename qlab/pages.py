"""Help pages of experiments: Markdown beside the code, read without importing the experiment.

A page is `help/NAME.md` in the package of the experiment's entry point (a drop-in file has `NAME.md` beside it).
Formulas stand between `$` or, on a line of their own, `$$`, in the TeX of `qlab_ui.formula`; pictures are SVG files
beside the page, whose `currentColor` becomes that of the text.
"""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from qlab.registry import DropIn, plugins


@dataclass(frozen=True)
class HelpPage:
    """A page as written, and the folder of its pictures."""

    text: str
    folder: Path


def page_of(experiment: str) -> HelpPage | None:
    """Return the help page of an experiment; None where nobody has written one."""
    plugin = plugins("experiments").get(experiment)
    if plugin is None:
        return None
    if isinstance(plugin, DropIn):
        return _read(Path(plugin.target).with_suffix(".md"))
    package = plugin.target.partition(":")[0].partition(".")[0]
    # Looking for a package of the top level imports nothing, which the window relies on.
    spec = importlib.util.find_spec(package) if package else None
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        if (page := _read(Path(folder) / "help" / f"{experiment}.md")) is not None:
            return page
    return None


def _read(file: Path) -> HelpPage | None:
    try:
        return HelpPage(file.read_text(encoding="utf-8"), file.parent)
    except (OSError, UnicodeDecodeError):
        return None

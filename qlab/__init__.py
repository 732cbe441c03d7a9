"""qlab: quantum metrology and sensing, from the bench to the published file.

```python
import qlab

bench = qlab.Bench.load("sim-nv", seed=1, truth={"B": 2e-3})
run = qlab.run("nv.ramsey", bench, tau=qlab.Linear(0, 4e-6, 201), out="data")
run["counts"], run.fit().values["frequency"], run.figures["sensitivity"]
```
"""

import os
from typing import TYPE_CHECKING, Any

# pydantic looks for plug-ins of its own in all that is installed: a tenth of a second of each start, for none.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

__version__ = "0.1.0"

if TYPE_CHECKING:
    from qlab.analysis import fit_runs
    from qlab.api import run, study
    from qlab.bench import Bench
    from qlab.errors import QlabError, UsageError
    from qlab.runs import Run
    from qlab.scan import Centre, Linear, Log, Values
    from qlab.store import open_run

_HOMES = {
    "Bench": "qlab.bench",
    "Centre": "qlab.scan",
    "Linear": "qlab.scan",
    "Log": "qlab.scan",
    "QlabError": "qlab.errors",
    "Run": "qlab.runs",
    "UsageError": "qlab.errors",
    "Values": "qlab.scan",
    "fit_runs": "qlab.analysis",
    "open_run": "qlab.store",
    "run": "qlab.api",
    "study": "qlab.api",
}
__all__ = [
    "Bench",
    "Centre",
    "Linear",
    "Log",
    "QlabError",
    "Run",
    "UsageError",
    "Values",
    "__version__",
    "fit_runs",
    "open_run",
    "run",
    "study",
]


def __getattr__(name: str) -> Any:
    # Names are imported when they are used: `import qlab` alone costs nothing, which the window's start needs.
    if name in _HOMES:
        import importlib

        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'qlab' has no attribute {name!r}")

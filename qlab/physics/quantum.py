"""The one door through which QuTiP comes in."""

import warnings
from functools import cache
from typing import Any


@cache
def qutip() -> Any:
    """Return QuTiP, imported when it is first needed (a second, most of it its optional companions)."""
    with warnings.catch_warnings():
        # It warns where matplotlib is absent; qlab draws with something else.
        warnings.filterwarnings("ignore", message="matplotlib not found", category=UserWarning)
        import qutip as module
    return module

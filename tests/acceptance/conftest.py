"""The acceptance tests use the window's own fixtures where they have a window."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

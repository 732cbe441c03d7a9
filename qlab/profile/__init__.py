"""The profile: who measures, for which project and under which terms, filled in once and kept beside the settings."""

from qlab.profile.kept import active, create, load, names, save, use
from qlab.profile.model import Award, Profile, Related, Sample
from qlab.profile.typed import KEYS, changed, faults, value_of

__all__ = [
    "KEYS", "Award", "Profile", "Related", "Sample", "active", "changed", "create", "faults", "load", "names", "save",
    "use", "value_of",
]  # fmt: skip

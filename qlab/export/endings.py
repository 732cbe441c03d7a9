"""What the ending of a name says of the format that is wanted: for the command line and the window alike."""

ENDINGS = {
    ".csv": "csv", ".nc": "netcdf", ".parquet": "parquet", ".ipynb": "notebook", ".html": "report",
    ".png": "figure", ".svg": "figure", ".pdf": "figure", ".crate": "ro-crate", ".zip": "zenodo",
}  # fmt: skip


def format_of(name: str) -> str:
    """Return the exporter that the ending of a name stands for; empty where it stands for none."""
    return next((to for ending, to in ENDINGS.items() if name.lower().endswith(ending)), "")

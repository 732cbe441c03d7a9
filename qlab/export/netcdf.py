"""netCDF: the gridded view as a netCDF-4 file, as xarray writes it, with the descriptive attributes of the run."""

from pathlib import Path

from qlab.export.writing import attributes, writing
from qlab.runs import Run


def export(run: Run, path: Path) -> Path:
    """Write the gridded view of a run as netCDF-4 (extra `xarray`)."""
    data = run.to_xarray("data")
    data.attrs.update({"Conventions": "CF-1.11, ACDD-1.3", **attributes(run)})
    with writing(path):
        data.to_netcdf(path, engine="h5netcdf")
    return path

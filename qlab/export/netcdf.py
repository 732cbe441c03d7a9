"""netCDF: the gridded view as a netCDF-4 file, as xarray writes it, with the descriptive attributes of the run."""

from pathlib import Path

from qlab.export.writing import attributes, whole
from qlab.runs import Run


def export(run: Run, path: Path) -> Path:
    """Write the gridded view of a run as netCDF-4 (extra `xarray`)."""
    data = run.to_xarray("data")
    data.attrs.update({"Conventions": "CF-1.11, ACDD-1.3", **attributes(run)})
    with whole(path) as place:
        data.to_netcdf(place, engine="h5netcdf")
    return path

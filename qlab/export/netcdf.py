"""netCDF: the gridded view as a netCDF-4 file, as xarray writes it."""

from pathlib import Path

from qlab.errors import FileError
from qlab.runs import Run


def export(run: Run, path: Path) -> Path:
    """Write the gridded view of a run as netCDF-4 (extra `xarray`)."""
    data = run.to_xarray("data")
    try:
        data.to_netcdf(path, engine="h5netcdf")
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror}.", "Choose another folder.") from error
    return path

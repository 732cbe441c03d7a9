"""The command line: one command a module; errors in one line, exit code 2 for bad use, 1 for a failed job."""

import sys

from qlab.errors import QlabError


def main() -> None:
    """Run the command line and exit."""
    from qlab.cli.app import app

    try:
        app()
    except QlabError as error:
        print(f"qlab: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


__all__ = ["main"]

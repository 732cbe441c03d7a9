"""The command line: one command a module; errors in one line, exit code 2 for bad use, 1 for a failed job."""

import sys

from qlab.errors import QlabError


def main() -> None:
    """Run the command line and exit; the window is there before all the commands could be loaded."""
    from qlab.cli.window import is_wanted, open_window

    try:
        if is_wanted(sys.argv[1:]):
            sys.exit(open_window(sys.argv[1:]))
        from qlab.cli.app import app

        app()
    except QlabError as error:
        print(f"qlab: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


__all__ = ["main"]

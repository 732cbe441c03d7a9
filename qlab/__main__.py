"""`python -m qlab` is `qlab`."""

from qlab.cli import main

if __name__ == "__main__":
    main()

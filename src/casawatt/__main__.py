"""`python -m casawatt` and the `casawatt` command."""

from casawatt.cli import run


def main() -> None:
    """Run the command line."""
    run()


if __name__ == "__main__":
    main()

"""`python -m monometer` is the `monometer` command."""

from monometer.cli import main

if __name__ == "__main__":
    main()

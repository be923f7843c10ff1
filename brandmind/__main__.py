"""`python -m brandmind` is `brandmind`."""

from brandmind.cli import main

if __name__ == "__main__":
    main()

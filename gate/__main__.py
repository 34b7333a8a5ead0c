"""Run gate as `python -m gate`."""

from gate.cli.app import main

if __name__ == "__main__":
    main()

"""Run the command line: `python -m towncircle`."""

from towncircle.cli.main import entry

if __name__ == "__main__":
    entry()

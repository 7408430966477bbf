"""`python -m campaignkit`."""

from campaignkit.cli.main import entry

if __name__ == "__main__":
    entry()

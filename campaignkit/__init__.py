"""campaignkit: campaigns as code for SMS.by's Viber API. Importing it runs nothing."""

__version__ = "0.1.0"
COLLECT_AFTER = 20_000
"""New objects after which our processes look for garbage; at 700, Python's own choice, that takes a tenth of a short command."""

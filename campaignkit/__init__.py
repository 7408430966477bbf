"""campaignkit: campaigns as code for SMS.by's Viber API. Importing it runs nothing."""

__version__ = "0.1.0"

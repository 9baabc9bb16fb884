"""Findings: what the watch saw, kept while it lasts, and told to who asked for it."""

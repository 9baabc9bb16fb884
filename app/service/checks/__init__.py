"""Checks of the service's parts: what is well, what is not, what to do."""

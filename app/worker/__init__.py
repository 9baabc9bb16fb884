"""Runs attempts."""

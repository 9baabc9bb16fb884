"""Retention: what has had its time is removed, gently, and its numbers stay."""

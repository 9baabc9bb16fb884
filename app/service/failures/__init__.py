"""Failure groups: what failed alike, how often, where, and what people decided about it."""

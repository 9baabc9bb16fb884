"""Canaries: tasks of our own that go the whole way."""

"""Alembic migrations: the schema's history, shipped with the program."""

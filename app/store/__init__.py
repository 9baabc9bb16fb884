"""The only place with SQL of the app."""

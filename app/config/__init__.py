"""Settings: one table of them, their parsers, and the checked values."""

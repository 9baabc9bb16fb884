"""The whole state in one file, and back."""

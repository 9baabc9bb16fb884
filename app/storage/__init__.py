"""Where audio bytes lie, by keys."""

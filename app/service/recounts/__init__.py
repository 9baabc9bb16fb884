"""Recounts: counters compared with rows, mended, and the verdict on them."""

"""The search for causes: which attributes failures have in common that successes do not."""

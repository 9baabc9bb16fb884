"""Why attempts fail: what they have in common that others do not, since when, and examples."""

"""Log lines: made once, each with its task and its span, then written, kept and exported."""

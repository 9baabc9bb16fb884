"""Log lines of tasks: what they say, and how they come into their table."""

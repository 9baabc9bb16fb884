"""Lists of tasks in SQL: what a filter asks, the index that a list walks, and its statements."""

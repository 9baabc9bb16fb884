"""The filter language of task lists: one parsed value for the API, the pages, the command."""

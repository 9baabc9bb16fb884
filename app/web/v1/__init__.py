"""The v1 API: one blueprint for each noun."""

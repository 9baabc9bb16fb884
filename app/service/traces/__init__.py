"""Traces: what rows say of them, what Jaeger has, and sending them again."""

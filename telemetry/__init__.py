"""Tracing that can be trusted: spans that outlive the process that made them. Knows no speech."""

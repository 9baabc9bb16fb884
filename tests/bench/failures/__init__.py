"""Messages of known causes, by which fingerprints are judged."""

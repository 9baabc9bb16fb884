"""The `voxtrace` command."""

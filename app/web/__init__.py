"""Routes: parse, call a service, render."""

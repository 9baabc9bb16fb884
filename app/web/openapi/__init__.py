"""The OpenAPI document, built from tables."""

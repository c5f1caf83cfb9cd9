"""A model in C."""

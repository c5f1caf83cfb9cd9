"""Data that stay on disk as a whole: surveyed in one pass, learned from piece by piece."""

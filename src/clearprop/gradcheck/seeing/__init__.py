"""Gradients seen: code runs as it stands, and what it does to its arrays tells all about them."""

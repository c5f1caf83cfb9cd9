"""A model in JavaScript, and as a page."""

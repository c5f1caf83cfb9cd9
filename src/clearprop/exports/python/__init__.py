"""A model in Python, with NumPy alone."""

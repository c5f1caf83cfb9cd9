"""A prediction service: rows and pictures in, probabilities out, over HTTP."""

"""A learner's functions and classes called, where running their file trains nothing."""

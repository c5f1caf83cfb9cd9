"""The layer that stands for the first Dense one in sample space."""

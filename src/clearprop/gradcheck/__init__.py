"""Gradients checked: analytical against numerical ones, and the first wrong one named."""

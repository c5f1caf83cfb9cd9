"""The network of the code under check: recognized by its cost, and run again."""

"""Files that are written whole or not at all: texts, tensors, models, and whatever was saved."""

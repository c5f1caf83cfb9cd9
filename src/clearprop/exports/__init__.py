"""A model elsewhere: in other languages, with the whole recipe, and proved against the model."""

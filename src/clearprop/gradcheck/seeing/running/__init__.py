"""A learner's file run as it stands, with arrays that are watched."""

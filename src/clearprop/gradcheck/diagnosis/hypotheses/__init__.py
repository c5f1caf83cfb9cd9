"""What a learner may have computed, line by line: each table begins with the right line."""

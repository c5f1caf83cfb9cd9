"""What was seen judged: updates, their cost, the true gradients, and the line at fault."""

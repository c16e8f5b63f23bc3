"""How good a condition coder is: a gold set, splits that stay apart, scores with their uncertainty, and baselines."""

"""Surgeries: each a rule L ← K → R with what becomes of the weights, one family a file."""

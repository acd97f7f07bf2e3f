"""Execution: a plan carried out, measured, and written down so that others can check it."""

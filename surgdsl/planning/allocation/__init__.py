"""Allocation: which place gets which value of a `choose`, so that the least is lost within what was promised."""

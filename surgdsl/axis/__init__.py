"""Axes: what the dimensions of tensors are made of, and which indices move together.

The algebra that makes shape-changing surgery derivable: no architecture is named anywhere.
"""

"""Curvature: what the data say about a layer, and the weights that lose least of it when cut, rounded or split.

Every solver here takes the weight of a layer as a matrix and the Gram matrix of what the layer reads, and looks for
values of a wanted form whose outputs differ least. What a solver finds is only proposed: the surgery puts it in place.
"""

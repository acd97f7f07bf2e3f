"""Layers to solve: correlated inputs, on which compensation pays, and isotropic ones, on which it cannot."""

from __future__ import annotations

import numpy as np

from surgdsl.curvature.solution import Values


def correlated(outputs: int, inputs: int, rows: int = 0, seed: int = 0) -> tuple[Values, Values]:
    """A weight and the Gram matrix of an autoregression of order 1 (0.9) whose channels have log-normal scales."""
    generator = np.random.default_rng(seed)
    weight = generator.standard_normal((outputs, inputs))
    noise = generator.standard_normal((rows or 16 * inputs, inputs))
    read = np.empty_like(noise)
    read[:, 0] = noise[:, 0]
    for place in range(1, inputs):
        read[:, place] = 0.9 * read[:, place - 1] + np.sqrt(1 - 0.9**2) * noise[:, place]
    read *= np.exp(generator.standard_normal(inputs))
    return weight, read.T @ read


def isotropic(outputs: int, inputs: int, rows: int = 0, seed: int = 0) -> tuple[Values, Values]:
    """The same without correlation: a negative control."""
    generator = np.random.default_rng(seed)
    weight = generator.standard_normal((outputs, inputs))
    read = generator.standard_normal((rows or 16 * inputs, inputs))
    return weight, read.T @ read


def least_squares(weight: Values, gram: Values, kept: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Values:
    """The best values where `kept`, row by row, said plainly."""
    best = np.zeros_like(weight)
    for row, chosen in enumerate(kept):
        places = np.flatnonzero(chosen)
        if len(places):
            best[row, places] = np.linalg.solve(gram[np.ix_(places, places)], gram[places] @ weight[row])
    return best

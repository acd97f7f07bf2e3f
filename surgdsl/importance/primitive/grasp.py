"""GraSP: what a weight does for the flow of gradients, w · (H g) (Wang, Zhang, Grosse 2020, equation 8, sign turned).

Taking a weight away changes gᵀg by −2 w·(Hg) to first order; what would raise the flow if it went scores lowest.
"""

from __future__ import annotations

from surgdsl.bridge.slopes import slopes
from surgdsl.formula.tensor import Tensor
from surgdsl.importance.asking import Asked, Primitive


def flow(asked: Asked) -> list[Tensor]:
    """w · (H g), with the answers divided by the temperature where labels are classes."""
    here = slopes(asked.state, asked.data, asked.number("temperature"))
    curved = here.curved(here.gradient())
    return asked.laid(
        {name: (one.detach().double() * curved[name]).cpu().numpy() for name, one in here.weights.items()}
    )


GRASP = Primitive("grasp", flow)

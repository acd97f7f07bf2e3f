"""Operations: what each operator means, by family.

`CATALOGUE` is the whole of what is known; an operator that is not in it runs, is pinned, and has no cost.
"""

from __future__ import annotations

from collections.abc import Mapping

from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.aggregation import AGGREGATIONS
from surgdsl.operations.arithmetic import ARITHMETIC
from surgdsl.operations.attention import ATTENTION
from surgdsl.operations.bilinear import BILINEAR
from surgdsl.operations.casting import CASTING, WRITTEN
from surgdsl.operations.choosing import CHOICES
from surgdsl.operations.contraction import CONTRACTION
from surgdsl.operations.convolution import CONVOLUTION
from surgdsl.operations.creation import CREATION
from surgdsl.operations.crossing import CROSSING
from surgdsl.operations.distance import DISTANCES
from surgdsl.operations.elementwise import BLANK, DROPOUT, FILL, POLE, SHIFTING_UNARY, UNARY
from surgdsl.operations.embedding import EMBEDDINGS
from surgdsl.operations.extreme import EXTREMES
from surgdsl.operations.fake_quantize import FAKE_QUANTIZE
from surgdsl.operations.gating import GATES
from surgdsl.operations.group_norm import GROUP_NORMS
from surgdsl.operations.joining import CAT, SCATTER, SLICE
from surgdsl.operations.layer_norm import LAYER_NORM
from surgdsl.operations.linear import LINEAR
from surgdsl.operations.maxima import MAXIMA
from surgdsl.operations.moving import MOVING
from surgdsl.operations.normalisation import BATCH_NORM
from surgdsl.operations.padding import PADDING
from surgdsl.operations.parting import PARTING
from surgdsl.operations.pooling import ADAPTIVE, WINDOWS
from surgdsl.operations.recurrent import RECURRENCES
from surgdsl.operations.reduction import MEAN, SOFTMAX
from surgdsl.operations.resampling import RESAMPLING
from surgdsl.operations.reshaping import FLATTEN, LITERAL, PERMUTE, SQUEEZE, UNSQUEEZE
from surgdsl.operations.scanning import SCANS
from surgdsl.operations.selection import SELECTION
from surgdsl.operations.shuffling import SHUFFLING
from surgdsl.operations.signature import Signature
from surgdsl.operations.spreading import SPREADING
from surgdsl.operations.squeezing import SQUEEZING
from surgdsl.operations.transposed import TRANSPOSED
from surgdsl.operations.triangle import TRIANGLE
from surgdsl.operations.truth import TRUTHS
from surgdsl.operations.unfolding import UNFOLDING
from surgdsl.operations.weight import WEIGHT
from surgdsl.operations.weight_norm import WEIGHT_NORM

CATALOGUE: tuple[Signature, ...] = (
    WEIGHT, LINEAR, CONVOLUTION, BATCH_NORM, UNARY, SHIFTING_UNARY, POLE, DROPOUT, WINDOWS, ADAPTIVE,
    FLATTEN, LITERAL, PERMUTE, UNSQUEEZE, SQUEEZE, CAT, SLICE, SCATTER, BLANK, FILL, MEAN, SOFTMAX,
    CONTRACTION, ATTENTION, LAYER_NORM, *GROUP_NORMS, *EMBEDDINGS, *GATES, CASTING, WRITTEN, *AGGREGATIONS, *EXTREMES,
    *SCANS, *ARITHMETIC, *CHOICES, *TRUTHS, WEIGHT_NORM,
    *PARTING, *SELECTION, *MOVING, *SPREADING, SQUEEZING, *SHUFFLING, PADDING, *RESAMPLING, *CREATION, TRANSPOSED,
    *RECURRENCES, *UNFOLDING, *MAXIMA, TRIANGLE, *CROSSING, BILINEAR, *DISTANCES, FAKE_QUANTIZE,
)  # fmt: skip

BY_NAME: Mapping[str, Signature] = {name: signature for signature in CATALOGUE for name in signature.names}


def cost(operation: Operation, sources: tuple[Sort, ...], targets: tuple[Sort, ...], binding: Mapping[str, int]) -> int:
    """Multiply-accumulates of one evaluation of `operation`, symbols bound as `binding` says.

    Raises:
        Refusal: E0603, the operator has no cost rule; nothing is ever counted as zero for want of one.
    """
    if operation.name not in BY_NAME:
        where = f" at `{operation.path}`" if operation.path else ""
        raise Refusal(Diagnostic("E0603", f"no cost rule for the operation `{operation.name}`{where}"))
    return BY_NAME[operation.name].cost(operation, sources, targets, binding)

"""Criteria of the library that Python implements, one a module; all others are formulas of the language."""

from surgdsl.importance.asking import Primitive
from surgdsl.importance.primitive.bn_scale import BN_SCALE
from surgdsl.importance.primitive.chance import RANDOM
from surgdsl.importance.primitive.fpgm import FPGM
from surgdsl.importance.primitive.grasp import GRASP
from surgdsl.importance.primitive.hessian import HESSIAN
from surgdsl.importance.primitive.hessian_trace import HESSIAN_TRACE
from surgdsl.importance.primitive.lamp import LAMP
from surgdsl.importance.primitive.movement import MOVEMENT
from surgdsl.importance.primitive.obs import OBS
from surgdsl.importance.primitive.synflow import SYNFLOW

PRIMITIVES: tuple[Primitive, ...] = (
    BN_SCALE, FPGM, GRASP, HESSIAN, HESSIAN_TRACE, LAMP, MOVEMENT, OBS, RANDOM, SYNFLOW,
)  # fmt: skip

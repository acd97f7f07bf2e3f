"""Resampling: pixels interpolated on another grid, each channel by itself.

What is read for a pixel depends on the whole extent, so spatial dims are pinned; batch and channels pass. Interpolation
counts no multiply-accumulates, as pooling does not.
"""

from __future__ import annotations

from surgdsl.axis.extent import Extent
from surgdsl.diagram.operation import Attribute, Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.elementwise import first_zero
from surgdsl.operations.parting import extents
from surgdsl.operations.signature import Call, Dims, IllTyped, Signature, demand

RESAMPLED = "pixels are interpolated along it"


def upsample(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x[n, c, …] → x[n, c, output_size…], or each spatial extent times its factor, rounded down."""
    (x,) = sources
    space = x.shape[2:]
    demand(len(space) >= 1, "resampling needs a batch dimension and channels")
    attributes = dict(operation.attributes)
    if attributes["output_size"] is not None:
        found = extents(operation, "output_size")
    else:
        factors = attributes.get("scale_factors")
        demand(isinstance(factors, tuple) and len(factors) == len(space), "a factor for each dimension is needed")
        assert isinstance(factors, tuple)
        found = tuple(map(_scaled, space, factors))
    demand(len(found) == len(space), "a size for each spatial dimension is needed")
    return (Sort(x.dtype, (*x.shape[:2], *found)),)


def _scaled(extent: Extent, factor: Attribute) -> int:
    """As in ATen: the product in double precision, rounded down."""
    if not isinstance(extent, int) or not isinstance(factor, (int, float)):
        raise IllTyped("a dimension whose size is symbolic is resampled by a factor")
    demand(int(extent * factor) >= 1, "nothing would be left")
    return int(extent * factor)


def upsample_dims(call: Call) -> tuple[Dims, ...]:
    """Batch and channels pass; spatial dims are pinned."""
    (x,) = call.dims
    space = tuple(call.fresh(f"space{i}", i) for i in range(2, len(x)))
    call.pin((*x[2:], *space), RESAMPLED)
    return ((*x[:2], *space),)


def grid_sampler(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x[n, c, …], places g[n, …, d] → y[n, c, …] with the space of g."""
    del operation
    x, grid = sources
    rank = len(x.shape) - 2
    demand(rank in {2, 3} and len(grid.shape) == rank + 2 and grid.shape[-1] == rank, "the grid does not fit the input")
    demand(x.shape[0] == grid.shape[0] and x.dtype == grid.dtype, "the grid does not fit the input")
    return (Sort(x.dtype, (*x.shape[:2], *grid.shape[1:-1])),)


def grid_sampler_dims(call: Call) -> tuple[Dims, ...]:
    """The batch is tied and channels pass; the space of input and grid is pinned."""
    x, grid = call.dims
    call.tie(x[0], grid[0])
    call.pin((*x[2:], *grid[1:]), RESAMPLED)
    return ((*x[:2], *grid[1:-1]),)


def affine_grid(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """theta[n, d, d + 1], size (n, c, …) → places g[n, …, d]."""
    (theta,) = sources
    batch, _, *space = extents(operation, "size")
    demand(theta.shape == (batch, len(space), len(space) + 1), "theta does not fit the size")
    return (Sort(theta.dtype, (batch, *space, len(space))),)


def affine_grid_dims(call: Call) -> tuple[Dims, ...]:
    """The batch, as in the size that is written out; all is pinned."""
    (theta,) = call.dims
    places = tuple(call.fresh(f"grid{i}", i) for i in range(1, len(call.targets[0].shape)))
    call.pin((*theta, *places), "it is a matrix of coordinates")
    return ((theta[0], *places),)


KINDS = ("nearest1d", "nearest2d", "nearest3d", "linear1d", "bilinear2d", "trilinear3d", "bicubic2d")
INTERNAL = ("nearest_exact1d", "nearest_exact2d", "nearest_exact3d", "bilinear2d_aa", "bicubic2d_aa")

UPSAMPLE = Signature(
    tuple(
        f"aten.{name}.{overload}"
        for name in (*(f"upsample_{kind}" for kind in KINDS), *(f"_upsample_{kind}" for kind in INTERNAL))
        for overload in ("vec", "default")
    ),
    upsample,
    upsample_dims,
)
GRID_SAMPLER = Signature(("aten.grid_sampler.default",), grid_sampler, grid_sampler_dims, zero=first_zero)
AFFINE_GRID = Signature(("aten.affine_grid_generator.default",), affine_grid, affine_grid_dims)

RESAMPLING = (UPSAMPLE, GRID_SAMPLER, AFFINE_GRID)

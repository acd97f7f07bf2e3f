"""The gluing condition: when L∖K can be taken out of a hypergraph along a morphism, and what stands against it.

It says exactly when the pushout complement exists (Ehrig, Pfender, Schneider 1973). The morphism need not be
injective; a match is, so the identification condition can only fail for other morphisms.
"""

from __future__ import annotations

from collections import defaultdict

from surgdsl.diagram.fault import Fault, fault
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.morphism import HypergraphMorphism


def gluing_violations(glue: Hypergraph, morphism: HypergraphMorphism) -> tuple[Fault, ...]:
    """Breaches of the dangling (G1) and the identification condition (G2), for K ⊆ L and m : L → G.

    G1 tells operations of G, G2 items of L.
    """
    return _dangling(glue, morphism) + _identification(glue, morphism)


def _dangling(glue: Hypergraph, morphism: HypergraphMorphism) -> tuple[Fault, ...]:
    host = morphism.cod
    gone = {image for name, image in morphism.operations.items() if name not in glue.operations}
    wires = dict.fromkeys(image for wire, image in morphism.wires.items() if wire not in glue.wires)
    users = dict.fromkeys(name for wire in wires for name in host.producers[wire] + host.consumers[wire])
    return fault(
        "G1",
        "an operation outside the match uses a wire that would go",
        [name for name in users if name not in gone],
    )


def _identification(glue: Hypergraph, morphism: HypergraphMorphism) -> tuple[Fault, ...]:
    broken: list[str] = []
    for images, kept in ((morphism.wires, glue.wires), (morphism.operations, glue.operations)):
        above: dict[str, list[str]] = defaultdict(list)
        for name, image in images.items():
            above[image].append(name)
        joined = [found for found in above.values() if len(found) > 1]
        broken += [name for found in joined if not all(one in kept for one in found) for name in found]
    return fault("G2", "an item that would go is also another item of the match", broken)

"""Pictures of nets: well-formed, complete, folded where blocks repeat, and with nothing over anything else."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence

import pytest
from attrs import evolve, field, frozen
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.axis.extent import symbol
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import PARAM, Attribute, Operation, Tensors
from surgdsl.diagram.payload import Dense, Payload
from surgdsl.diagram.sort import Sort
from surgdsl.diagram.term import Given
from surgdsl.operations.coupling import Coupling, couple
from surgdsl.report.drawing import draw
from surgdsl.report.picture.geometry import Curve, Point, Scene
from surgdsl.report.picture.ink import PALETTE, PINNED, ink
from surgdsl.report.picture.page import page
from surgdsl.report.picture.sketch import Card, Frame, Sketch, sketch
from tests.strategies import nets, renamings

SVG = "{http://www.w3.org/2000/svg}"


@frozen
class Growth:
    """A net under construction: every method adds one operation and gives the wire that it writes."""

    wires: dict[str, Sort] = field(factory=dict[str, Sort])
    operations: dict[str, Operation] = field(factory=dict[str, Operation])

    def given(self, name: str, width: int) -> str:
        self.wires[name] = Sort("F32", (symbol("B"), width))
        return name

    def width(self, wire: str) -> int:
        last = self.wires[wire].shape[-1]
        assert isinstance(last, int)
        return last

    def grown(
        self, name: str, path: str, sources: tuple[str, ...], width: int, *attributes: tuple[str, Attribute]
    ) -> str:
        wire = f"w{len(self.wires)}"
        self.wires[wire] = Sort("F32", (symbol("B"), width))
        self.operations[wire] = Operation(f"aten.{name}", sources, (wire,), attributes, path=path)
        return wire

    def linear(self, path: str, source: str, width: int) -> str:
        weight = f"{path}.weight"
        self.wires[weight] = Sort("F32", (width, self.width(source)))
        payload = Payload(weight, "parameter", Dense(), Given(weight))
        self.operations[weight] = Operation(PARAM, (), (weight,), (), payload, path)
        return self.grown("linear.default", path, (source, weight), width)

    def relu(self, path: str, source: str) -> str:
        return self.grown("relu.default", path, (source,), self.width(source))

    def add(self, path: str, left: str, right: str) -> str:
        return self.grown("add.Tensor", path, (left, right), self.width(left), ("alpha", 1))

    def cat(self, path: str, *sources: str) -> str:
        width = sum(map(self.width, sources))
        return self.grown("cat.default", path, sources, width, ("dim", 1), ("tensors", Tensors(len(sources))))

    def block(self, path: str, source: str, inner: int) -> str:
        """A residual block: narrow, wide, and around."""
        hidden = self.relu(path, self.linear(f"{path}.up", source, inner))
        return self.add(path, source, self.linear(f"{path}.down", hidden, self.width(source)))

    def net(self, inputs: Sequence[str], *outputs: tuple[str, str]) -> Net:
        return Net(Hypergraph(self.wires, self.operations), tuple((name, name) for name in inputs), outputs)


def tower(inner: Sequence[int], *, tapped: int | None = None) -> Net:
    """Blocks of these widths one after the other; the result of block `tapped` is an output, too."""
    growth = Growth()
    x = growth.linear("stem", growth.given("x", 6), 8)
    ends: list[tuple[str, str]] = []
    for number, width in enumerate(inner):
        x = growth.block(f"blocks.{number}", x, width)
        ends += [("tap", x)] if number == tapped else []
    return growth.net(["x"], *ends, ("y", growth.linear("head", x, 3)))


def branching() -> Net:
    """A residual connection, a concatenation, two inputs and two outputs."""
    growth = Growth()
    x, z = growth.given("x", 6), growth.given("z", 8)
    left = growth.relu("act", growth.linear("left", x, 8))
    total = growth.add("", left, z)
    both = growth.cat("", total, growth.linear("right", total, 12), left)
    return growth.net(["x", "z"], ("y", growth.linear("head", both, 5)), ("hidden", left))


def drawn(coupling: Coupling) -> tuple[Sketch, Scene]:
    found, twins = sketch(coupling)
    return found, page(found, ink(coupling, found, twins))


def frames(found: Sketch) -> list[Frame]:
    return [node for node in found.nodes if isinstance(node, Frame)]


def cards(found: Sketch) -> list[str]:
    """The first words of all boxes, those in frames, too."""
    heads: list[str] = []
    for node in found.nodes:
        heads += [f"{node.lines[0].name} {node.lines[0].note}".strip()] if isinstance(node, Card) else []
        heads += cards(node.inner) if isinstance(node, Frame) else []
    return heads


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - our own text


SAMPLES = {
    "branching": branching(),
    "twelve blocks": tower([16] * 12),
    "no two blocks alike": tower(range(9, 40)),
    "a hostile name": evolve(branching(), inputs=(('<&"\x00\ud800', "x"), ("深い", "z"))),
}


@pytest.fixture(params=SAMPLES)
def coupling(request: pytest.FixtureRequest) -> Coupling:
    return couple(SAMPLES[request.param])


@pytest.fixture
def text(coupling: Coupling) -> str:
    return draw(coupling.net, "some <net>")


def test_a_picture_is_xml_that_says_what_it_is(text: str) -> None:
    root = parsed(text)
    text.encode("utf-8")
    assert (f"{SVG}svg", "img") == (root.tag, root.get("role"))
    assert f"{SVG}title" == root[0].tag
    assert (root[0].text or "").startswith("some <net>: ")
    background = next(iter(root.iter(f"{SVG}rect")))
    assert ("#ffffff", root.get("width"), root.get("height")) == tuple(map(background.get, ("fill", "width", "height")))


def test_every_axis_is_in_the_legend(coupling: Coupling, text: str) -> None:
    found, twins = sketch(coupling)
    rows = ink(coupling, found, twins).rows
    assert set(coupling.prunable) == {axis for row in rows for axis in row.axes}
    assert len({row.key for row in rows}) == len(rows)
    said = " ".join(parsed(text).itertext())
    names = [axis.name.replace("\x00", "�").replace("\ud800", "�") for axis in coupling.members]
    assert [name for name in names if name not in said] == []
    assert all(row.text in said for row in rows)


def test_every_port_of_the_interface_is_marked(coupling: Coupling) -> None:
    net = coupling.net
    root = parsed(draw(coupling.net, "net"))
    labels = ["".join(one.itertext()) for one in root.iter(f"{SVG}text")]
    assert len(net.inputs) == sum(label.startswith("input ") for label in labels)
    assert [f"output {name}" for name, _ in net.outputs] == sorted(
        (label for label in labels if label.startswith("output ")), key=[f"output {n}" for n, _ in net.outputs].index
    )


def boxes_and_tags(scene: Scene) -> list[tuple[float, float, float, float]]:
    solid = [box for box in scene.boxes if not isinstance(box.node, Frame)]
    return [(one.x, one.y, one.width, one.height) for one in (*solid, *scene.tags)]


def overlapping(places: Sequence[tuple[float, float, float, float]]) -> list[object]:
    return [
        (one, other)
        for one, other in itertools.combinations(places, 2)
        if one[0] < other[0] + other[2]
        and other[0] < one[0] + one[2]
        and one[1] < other[1] + other[3]
        and other[1] < one[1] + one[3]
    ]


def along(curve: Curve) -> Iterator[Point]:
    """Points on a wire."""
    steps = [number / 16 for number in range(17)]
    if not curve.bent:
        for (x, y), (to_x, to_y) in itertools.pairwise(curve.points):
            yield from ((x + (to_x - x) * step, y + (to_y - y) * step) for step in steps)
        return
    (x, y), (to_x, to_y) = curve.points[0], curve.points[-1]
    middle = (y + to_y) / 2
    for t in steps:
        near, far = (1 - t) ** 3 + 3 * t * (1 - t) ** 2, t**3 + 3 * t**2 * (1 - t)
        height = y * (1 - t) ** 3 + middle * 3 * t * (1 - t) + to_y * t**3
        yield x * near + to_x * far, height


def pierced(scene: Scene) -> list[object]:
    """Boxes that a wire runs through."""
    points = [point for curve in scene.curves for point in along(curve)]
    return [
        (box, point)
        for box in scene.boxes
        if not isinstance(box.node, Frame)
        for point in points
        if box.x + 1 < point[0] < box.x + box.width - 1 and box.y + 1 < point[1] < box.y + box.height - 1
    ]


def check_scene(scene: Scene) -> None:
    assert overlapping(boxes_and_tags(scene)) == []
    assert pierced(scene) == []
    for box in scene.boxes:
        assert -0.01 <= box.x <= box.x + box.width <= scene.width + 0.01
        assert -0.01 <= box.y <= box.y + box.height <= scene.height + 0.01


def test_nothing_is_drawn_over_anything_else(coupling: Coupling) -> None:
    check_scene(drawn(coupling)[1])


@given(nets(most=12))
def test_nothing_is_drawn_over_anything_else_whatever_the_net(net: Net) -> None:
    coupling = couple(net)
    check_scene(drawn(coupling)[1])
    parsed(draw(coupling.net, "net"))


@given(st.data())
def test_names_of_wires_and_their_order_leave_no_trace(data: st.DataObject) -> None:
    net = data.draw(nets())
    other = data.draw(renamings(net))
    assert draw(net, "net") == draw(other, "net")


SIZES = {"h": 12, "q": 15}


def texts(root: ET.Element) -> Iterator[tuple[str, tuple[float, float, float, float]]]:
    """Every text with the rectangle that it takes in a font of the usual width, measured without the layout."""
    for one in root.iter(f"{SVG}text"):
        classes = (one.get("class") or "").split()
        size = next((SIZES[name] for name in classes if name in SIZES), 11)
        wide = 0.602 * size * len(one.text or "")
        for part in one.iter(f"{SVG}tspan"):
            small = {"k": 8, "n": 11}.get(part.get("class") or "", size)
            wide += 0.602 * (small * len(part.text or "") + size * len(part.tail or ""))
        x, y = float(one.get("x") or 0), float(one.get("y") or 0)
        left = x - {"middle": wide / 2, "end": wide}.get(one.get("text-anchor") or "", 0.0)
        yield "".join(one.itertext()), (left, y - 0.75 * size, wide, 0.95 * size)


@pytest.mark.parametrize("name", ["branching", "twelve blocks", "no two blocks alike"])
def test_no_text_meets_another_or_leaves_the_page(name: str) -> None:
    root = parsed(draw(SAMPLES[name], name))
    places = [place for _, place in texts(root)]
    assert len(places) > 20
    assert overlapping(places) == []
    width, height = float(root.get("width") or 0), float(root.get("height") or 0)
    assert [
        one for one in places if one[0] < 0 or one[0] + one[2] > width or one[1] < 0 or one[1] + one[3] > height
    ] == []


def test_the_search_for_overlaps_finds_one() -> None:
    assert overlapping([(0, 0, 2, 2), (1, 1, 2, 2), (5, 5, 1, 1)]) == [((0, 0, 2, 2), (1, 1, 2, 2))]
    scene = drawn(couple(branching()))[1]
    box = scene.boxes[0]
    line = Curve(((box.x - 9, box.y + 9), (box.x + box.width + 9, box.y + 9)))
    assert pierced(evolve(scene, curves=(*scene.curves, line)))


def test_twelve_equal_blocks_are_drawn_once() -> None:
    found, scene = drawn(couple(tower([16] * 12)))
    (frame,) = frames(found)
    assert (frame.title, frame.count) == ("blocks.{0…11}", 12)
    assert cards(found) == ["linear stem", "linear up", "linear down", "add", "linear head"]
    (outer,) = [box for box in scene.boxes if isinstance(box.node, Frame)]
    inside = [box for box in scene.boxes if isinstance(box.node, Card) and box.overlaps(outer)]
    assert [box.node.lines[0].note for box in inside if isinstance(box.node, Card)] == ["up", "down", ""]


def test_axes_of_folded_blocks_share_a_line_of_the_legend() -> None:
    coupling = couple(tower([16] * 12))
    found, twins = sketch(coupling)
    rows = ink(coupling, found, twins).rows
    assert [row.text for row in rows] == ["stem:out  8  26 tensors", "blocks.{0…11}.up:out ×12  16  2 tensors each"]


def test_a_block_that_differs_stands_for_itself() -> None:
    found, _ = sketch(couple(tower([16] * 4 + [20] + [16] * 3)))
    assert [(one.title, one.count) for one in frames(found)] == [("blocks.{0…3}", 4), ("blocks.{5…7}", 3)]
    assert "linear blocks.4.up" in cards(found)


def test_blocks_that_alternate_are_folded_in_pairs() -> None:
    found, _ = sketch(couple(tower([16, 20] * 3)))
    (frame,) = frames(found)
    assert (frame.title, frame.count) == ("blocks.{0…5}", 3)
    assert cards(frame.inner) == ["linear 0.up", "linear 0.down", "add 0", "linear 1.up", "linear 1.down", "add 1"]


def test_a_block_whose_result_is_read_elsewhere_is_not_hidden() -> None:
    found, _ = sketch(couple(tower([16] * 7, tapped=3)))
    assert [(one.title, one.count) for one in frames(found)] == [("blocks.{0…3}", 4), ("blocks.{4…6}", 3)]


def test_two_small_blocks_are_not_worth_a_frame() -> None:
    growth = Growth()
    x = growth.given("x", 4)
    for number in range(3):
        x = growth.linear(f"fc{number}", x, 4)
    assert frames(sketch(couple(growth.net(["x"], ("y", x))))[0]) == []


def test_activations_stand_in_the_box_before_unless_others_read_between() -> None:
    growth = Growth()
    first = growth.linear("first", growth.given("x", 4), 4)
    second = growth.linear("second", growth.relu("act1", first), 4)
    third = growth.relu("act2", second)
    found, _ = sketch(couple(growth.net(["x"], ("y", third), ("between", second))))
    assert cards(found) == ["linear first", "linear second", "relu act2"]


def test_a_shared_weight_is_told_where_it_is_read() -> None:
    growth = Growth()
    x = growth.linear("one", growth.given("x", 4), 4)
    x = growth.grown("linear.default", "two", (x, "one.weight"), 4)
    found, _ = sketch(couple(growth.net(["x"], ("y", x))))
    weights = [line.name for node in found.nodes if isinstance(node, Card) for line in node.lines[1:]]
    assert weights == ["weight (shared)", "one.weight (shared)"]


def test_a_long_picture_stands_in_columns() -> None:
    scene = drawn(couple(tower(range(9, 40))))[1]
    assert scene.height < 2 * scene.width
    assert scene.height > 400


def test_dot_tells_the_same() -> None:
    coupling = couple(tower([16] * 12))
    text = draw(coupling.net, "some <net>", "dot")
    found, _ = sketch(coupling)
    (frame,) = frames(found)
    assert text.count(" -> ") == len(found.edges) + len(frame.inner.edges)
    assert text.count("{") - text.count("blocks.{0…11}") == text.count("}") - text.count("blocks.{0…11}") == 2
    labels = [line.partition("label=<")[2].rpartition(">")[0] for line in text.splitlines() if "label=<" in line]
    assert len(labels) > 10
    for label in labels:
        parsed(f"<label>{label}</label>")


VISION = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "deutan": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "tritan": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}
"""What is left of linear red, green and blue (Machado, Oliveira and Fernandes 2009, full severity)."""
XYZ = ((0.4339, 0.3762, 0.1899), (0.2126, 0.7152, 0.0722), (0.0177, 0.1095, 0.8728))
"""Of linear sRGB, white at (1, 1, 1)."""


def linear(colour: str) -> list[float]:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def mixed(matrix: Sequence[Sequence[float]], values: Sequence[float]) -> list[float]:
    return [max(0.0, sum(a * b for a, b in zip(row, values, strict=True))) for row in matrix]


def lab(values: Sequence[float]) -> tuple[float, float, float]:
    x, y, z = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in mixed(XYZ, values))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("vision", VISION)
def test_colours_can_be_told_apart(vision: str) -> None:
    seen = [lab(mixed(VISION[vision], linear(colour))) for colour in (*PALETTE, PINNED)]
    apart = [sum((a - b) ** 2 for a, b in zip(*pair, strict=True)) ** 0.5 for pair in itertools.combinations(seen, 2)]
    assert min(apart) > 15


@pytest.mark.parametrize("colour", [*PALETTE, PINNED])
@pytest.mark.parametrize("ground", ["#ffffff", "#f6f7f9"])
def test_colours_can_be_read(colour: str, ground: str) -> None:
    dark, light = (mixed(XYZ, linear(one))[1] for one in (colour, ground))
    assert (light + 0.05) / (dark + 0.05) >= 4.5

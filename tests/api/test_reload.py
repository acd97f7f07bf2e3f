"""A result goes back into the user's own class, or is refused with the place."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
import torch
from torch import nn

import surgdsl
from surgdsl.bridge.reloading import refit
from surgdsl.diagnostic import Source
from surgdsl.language import program

HEAD = """
    surg 1
    use std.importance.magnitude
    use std.rules.{fold_batchnorm, mask, prune_channels, quantize}
    model net : (x: f32[B, 3, 8, 8]) -> (y: f32[B, 5]) { source = python("net_to_reload:%s") }
    surgery slim on net {
"""
STEPS = """
      step narrow = apply prune_channels(keep = 50%) @** by magnitude
      step fold   = apply exhaustively fold_batchnorm @**
      step thin   = apply mask(keep = 50%) @head
      step code   = apply quantize(bits = 4bit) @** except @stem | @deep
      step grid   = apply quantize(bits = 4bit, scheme = "symmetric", group = 9) @stem
      step each   = apply quantize(bits = 3bit, scheme = "affine", per = "tensor", group = 12, clip = "mse") @deep
      order narrow >> fold >> thin >> code >> grid >> each
    }
"""
NETS = """
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.norm = nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
            self.deep, self.flat = nn.Conv2d(8, 8, 3, groups=8), nn.Conv2d(8, 12, 1)
            self.head = nn.Linear(12, 5)

        def forward(self, x):
            x = torch.relu(self.norm(self.stem(x)))
            return self.head(torch.relu(self.flat(self.deep(x))).mean((2, 3)))

    class Rigid(Net):
        def forward(self, x):
            x = torch.relu(self.norm(self.stem(x)))
            x = torch.relu(self.flat(self.deep(x)))
            return self.head(x.view(-1, 12, 36).mean(2))

    def net():
        torch.manual_seed(0)
        return Net()

    def rigid():
        torch.manual_seed(0)
        return Rigid()
"""


def made(folder: Path, name: str) -> tuple[Callable[[], nn.Module], Path]:
    """A result of the class, and what builds it."""
    (folder / "net_to_reload.py").write_text(dedent(NETS), encoding="utf-8")
    text = dedent(HEAD % name) + dedent(STEPS)
    surgdsl.run(program(Source(str(folder / "slim.surg"), text.lstrip())), folder / name)
    space: dict[str, Callable[[], nn.Module]] = {}
    exec(dedent(NETS), space)  # noqa: S102 - our own text
    return space[name], folder / name


def test_a_result_goes_back_into_its_class(tmp_path: Path) -> None:
    build, folder = made(tmp_path, "net")
    x = torch.randn(4, 3, 8, 8)
    module = surgdsl.reload(build, folder, (x,))
    weights = surgdsl.decoded(folder)
    assert {name: one for name, one in module.state_dict().items() if "tracked" not in name}.keys() == weights.keys()
    assert (module.stem.out_channels, module.deep.groups, module.head.in_features) == (4, 4, 6)
    assert isinstance(module.norm, nn.Identity)
    by_hand = torch.relu(nn.functional.conv2d(x, weights["stem.weight"], weights["stem.bias"], padding=1))
    by_hand = nn.functional.conv2d(by_hand, weights["deep.weight"], weights["deep.bias"], groups=4)
    by_hand = torch.relu(nn.functional.conv2d(by_hand, weights["flat.weight"], weights["flat.bias"]))
    by_hand = nn.functional.linear(by_hand.mean((2, 3)), weights["head.weight"], weights["head.bias"])
    torch.testing.assert_close(module(x), by_hand)
    assert int((weights["head.weight"] == 0).sum()) >= 15, "the mask is in the weights"


def test_a_class_with_sizes_written_into_it_is_refused_with_the_place(tmp_path: Path) -> None:
    build, folder = made(tmp_path, "rigid")
    with pytest.raises(surgdsl.Refusal) as refused:
        surgdsl.reload(build, folder, (torch.randn(4, 3, 8, 8),))
    assert refused.value.diagnostics[0].code == "E0608"
    assert "at or after `head`" in refused.value.diagnostics[0].help[0]


def test_another_class_is_refused(tmp_path: Path) -> None:
    _, folder = made(tmp_path, "net")
    with pytest.raises(surgdsl.Refusal, match="E0608"):
        surgdsl.reload(lambda: nn.Linear(3, 4), folder)


def test_a_folder_without_a_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(surgdsl.Refusal, match="E0701"):
        surgdsl.decoded(tmp_path)


def test_a_grouped_convolution_that_was_cut_is_refused_and_not_guessed() -> None:
    module = nn.Sequential(nn.Conv2d(4, 8, 1, groups=2))
    cut = {"0.weight": torch.zeros(4, 2, 1, 1), "0.bias": torch.zeros(4)}
    with pytest.raises(surgdsl.Refusal) as refused:
        refit(module, cut)
    assert refused.value.diagnostics[0].help[0] == "`0` is a grouped convolution that was cut"

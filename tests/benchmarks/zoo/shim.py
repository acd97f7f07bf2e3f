"""What lets torchvision import on a CPU build of torch: it registers kernels for two operators that must exist.

Imported before torchvision, and by nothing outside this benchmark.
"""

import torch

LIBRARY = torch.library.Library("torchvision", "DEF")
for NAME in ("nms", "qnms"):
    LIBRARY.define(f"{NAME}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

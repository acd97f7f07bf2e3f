"""surgdsl compresses a trained torch model from a short `.surg` text and leaves a certificate that others can check.

This module holds the version only, so that `surg check`, `surg fmt` and the verifier start without torch.
"""

__version__ = "0.1.0"

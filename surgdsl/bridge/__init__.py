"""The bridge: weights as stored bytes, and torch in and out.

Torch is imported from this room upward only; modules about weights, files and encodings here need numpy alone.
"""

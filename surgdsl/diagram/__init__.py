"""Diagrams: nets, rules, matches and pushouts, as values without tensors.

The mathematics of a step lives here and nowhere else; nothing in this room knows torch, files or the language.
"""

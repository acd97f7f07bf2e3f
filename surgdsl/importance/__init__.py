"""Importance: what each index of an axis is worth, by a criterion of the library or of the user's own.

Criteria are advice. They choose what goes; nothing that a certificate promises rests on them.
"""

"""Rules: what a `rule` of the language means, where it applies, and whether it says the truth.

A declaration is a value with holes (`schema`); an assignment of the holes makes it a ground span (`ground`), in the
net (`matching`), in the small (`instances`), and in a certificate alike. Nothing here knows torch or the text.
"""

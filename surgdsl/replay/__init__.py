"""Replay: the nets of a certificate, executed again, in a process of their own.

The verifier proves what the bytes are; what two nets do with the same numbers is seen by running them. States come from
the verifier, torch runs them, and the compiler is not asked.
"""

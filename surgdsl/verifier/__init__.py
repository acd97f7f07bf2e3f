"""The verifier: re-checks a certificate without trusting, or importing, the compiler that wrote it.

It is written from docs/certificate.md and the mathematics alone; standard library, and numpy where weights are scanned.
"""

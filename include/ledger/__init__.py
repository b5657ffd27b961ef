"""Append-only evidence, the Merkle log over it, signed checkpoints and legal holds."""

"""Data subjects: what they are known by, and the vault that keeps it."""

"""Erasure of persons: find, plan, approve, push, read back, look again."""

"""The policy file, its typed model, loader and lint; the record of processing activities."""

"""Anonymised aggregates: released once, under differential privacy, from a budget that is an account in the ledger."""

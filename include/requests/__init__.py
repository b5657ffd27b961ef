"""Requests of data subjects: what comes in, how it is checked, what is known of it."""

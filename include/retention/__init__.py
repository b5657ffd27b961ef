"""Rules → cut-off → plan → guard → sweep → read back → evidence."""

"""A whole company to try the product on: stores on loopback, seeded, with faults and a journal."""

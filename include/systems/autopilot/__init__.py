"""Marketing e-mail: Autopilot's old interface, and Ortto, which took its place. Two systems, two connections.

    legacy        Autopilot: contacts by address, one deletion to a call
    ortto         Ortto: people by address or our user id; archived, then deleted, a hundred to a call
    ├── ortto_calls   the calls, and what a person looks like there
    └── ortto_ages    the same people by age, for the nightly run

A company that moved can have the same person in both: Ortto keeps itself in step with the old product. Each is looked
into only where it has a connection.
"""

"""Meta on loopback: what the twins of Facebook and Instagram share of the Graph API."""

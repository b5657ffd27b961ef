"""One module per system of the policy, all behind the contract in ``include.systems.contract``."""

"""What people and auditors read: the audit report."""

"""What is checked about the systems every night beside deletion: access, claims, drift, people who came back."""

"""Amazon Web Services as this project uses them: the account's clients, one error family, patience, and a doctor."""

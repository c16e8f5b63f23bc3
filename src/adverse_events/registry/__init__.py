"""Models kept side by side: versions and aliases in a folder, the gate between them, the card of each."""

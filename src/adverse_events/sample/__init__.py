"""The sample week: synthetic posts with gold labels, and the generator that writes any number of them.

Every text, name and handle is invented by the project; no real post, person or account was used.
`week` names the bundled files, `generate` makes them.
"""

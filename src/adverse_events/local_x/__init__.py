"""X API v2 on this machine: its wire protocol over invented posts, for tests, rehearsals and demonstrations.

It is X's protocol, not X: nothing here says anything of X's speed, coverage or ranking.
"""

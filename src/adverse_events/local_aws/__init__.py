"""AWS on this machine: our own parts and moto behind AWS's real wire protocols, for tests and for `ade demo-aws`.

It is AWS's protocols, not AWS: nothing here says anything of AWS's speed, limits, permissions or models.
"""

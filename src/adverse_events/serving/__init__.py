"""The model as a service: payload, handler and server. Imports nothing of this project outside this folder."""

"""Texts written by the project to train on: what the corpora hold too little of."""

"""Corpus, training, evaluation and export of the classifier. Needs the ``train`` extra."""

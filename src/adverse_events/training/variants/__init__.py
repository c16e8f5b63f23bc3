"""Labelled training texts written by this project: what the corpora do not teach.

A classifier trained on the corpora alone flags a denied headache and a treated one. Here every capability (negation,
indication, benefit, ...) holds sentences of both labels in like words, so that no single word decides. ``frames.csv``
is the material that people review; ``generate`` fills it and ``swap_drug`` renames the drugs of any labelled text.

What the labels say:

* ADE is a reaction of the post's author; another person's or an animal's is NOT_ADE. Sentences of clinical reports
  have no such author: there ADE is an effect of the drug on a patient.
* A withdrawal symptom that the author has is ADE; a feared, planned, denied or another person's withdrawal is not. So
  the product reads it, whose coder stores the role WITHDRAWAL as an event beside ADE, and so the tweets are labelled.
  The patient reviews keep withdrawal in a label of their own beside the adverse reactions, nine in ten of them marked
  as withdrawal only: whoever trains on both has to count those as ADE or to leave them out.
* A symptom that a drug is taken for, or that it fails to help, is NOT_ADE; an illness that the drug makes worse is ADE.
* A question whether a drug may do something is NOT_ADE unless the author says to have it.
* A reaction in the past, now gone, is ADE.

Case, typos, hashtags and stray sentences come from the same draw under both labels.
"""

from adverse_events.training.variants.making import Variant, generate
from adverse_events.training.variants.swapping import swap_drug
from adverse_events.training.variants.writing import write

__all__ = ["Variant", "generate", "swap_drug", "write"]

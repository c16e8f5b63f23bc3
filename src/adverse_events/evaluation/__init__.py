"""How good a classifier is: scores, calibration, operating points, comparisons. Needs the ``train`` extra."""

"""The chapters of ICD-10-CM: the coarsest level at which two codes can agree."""

from __future__ import annotations

from bisect import bisect_right

CATEGORY_LETTERS = 3
"""Characters that name a category: ``R11`` of ``R11.10``."""

_FIRST_CATEGORIES = (
    ("A00", "Certain infectious and parasitic diseases"),
    ("C00", "Neoplasms"),
    ("D50", "Blood, blood-forming organs and immune mechanism"),
    ("E00", "Endocrine, nutritional and metabolic diseases"),
    ("F01", "Mental, behavioral and neurodevelopmental disorders"),
    ("G00", "Nervous system"),
    ("H00", "Eye and adnexa"),
    ("H60", "Ear and mastoid process"),
    ("I00", "Circulatory system"),
    ("J00", "Respiratory system"),
    ("K00", "Digestive system"),
    ("L00", "Skin and subcutaneous tissue"),
    ("M00", "Musculoskeletal system and connective tissue"),
    ("N00", "Genitourinary system"),
    ("O00", "Pregnancy, childbirth and the puerperium"),
    ("P00", "Conditions originating in the perinatal period"),
    ("Q00", "Congenital malformations"),
    ("R00", "Symptoms, signs and abnormal findings"),
    ("S00", "Injury, poisoning and other external causes"),
    ("U00", "Codes for special purposes"),
    ("V00", "External causes of morbidity"),
    ("Z00", "Factors influencing health status"),
)
"""First category and title of each chapter, in code order.

Source:
    ICD-10-CM fiscal year 2026, tabular list; titles shortened.
"""

_STARTS = [first for first, _ in _FIRST_CATEGORIES]


def chapter_of(code: str) -> str:
    """Return the title of the chapter that holds `code`, shaped like an ICD-10-CM code."""
    return _FIRST_CATEGORIES[max(bisect_right(_STARTS, code[:CATEGORY_LETTERS]) - 1, 0)][1]

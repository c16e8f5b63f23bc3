"""Posts with gold traits and roles under ``tests/data``, and how well a coder agrees with them.

``python tests/context_gold.py tests/data/context_held_out.txt`` prints the table; ``--misses`` each disagreement too.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from adverse_events.coding.embedded import EmbeddedCoder
from adverse_events.screening.drugs import DrugLexicon

ROLES = {
    "A": "ADE",
    "I": "INDICATION",
    "B": "BENEFIT",
    "W": "WITHDRAWAL",
    "L": "LACK_OF_EFFECT",
    "U": "UNKNOWN",
    "?": None,
}
TRAITS = {
    "n": "NEGATION",
    "h": "HYPOTHETICAL",
    "f": "PERTAINS_TO_FAMILY",
    "p": "PAST_HISTORY",
    "l": "LOW_CONFIDENCE",
}
DATA = Path(__file__).parent / "data"
_MARK = re.compile(r"\[([^\[\]|]+)\|([AIBWLU?])([nhfpl]*)\]")


@dataclass(frozen=True)
class Gold:
    """One condition a reader sees: its place in the plain text, role (None: not scored) and traits."""

    begin: int
    end: int
    role: str | None
    traits: frozenset[str]


@dataclass
class Agreement:
    """Counts of (right, found, gold) by role and trait; conditions the coder did not find are left out."""

    right: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    gold: Counter[str] = field(default_factory=Counter)
    n_unseen: int = 0
    n_seen: int = 0
    misses: list[str] = field(default_factory=list)

    def scores(self, *names: str) -> tuple[float, float, float]:
        """Return precision, recall and F1 over `names` together; 1.0 where nothing was asked or found."""
        right, found, gold = (sum(count[name] for name in names) for count in (self.right, self.found, self.gold))
        precision, recall = right / found if found else 1.0, right / gold if gold else 1.0
        return precision, recall, 2 * right / (found + gold) if found + gold else 1.0


def read_posts(path: Path) -> list[tuple[str, str, list[Gold]]]:
    """Return (topic, plain text, gold conditions) of each post."""
    topic, posts = "", []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            topic = line[3:]
        elif line and not line.startswith("#"):
            text, gold, last = "", [], 0
            for mark in _MARK.finditer(line):
                text += line[last : mark.start()]
                traits = frozenset(TRAITS[letter] for letter in mark[3])
                gold.append(Gold(len(text), len(text) + len(mark[1]), ROLES[mark[2]], traits))
                text += mark[1]
                last = mark.end()
            posts.append((topic, text + line[last:], gold))
    return posts


def agreement(path: Path) -> Agreement:
    """Compare the embedded coder with the gold of `path`."""
    posts = read_posts(path)
    coder, drugs = EmbeddedCoder.load(), DrugLexicon.load()
    codings = coder.code([text for _, text, _ in posts], [drugs.find(text) for _, text, _ in posts])
    result = Agreement()
    for (topic, text, gold), coding in zip(posts, codings, strict=True):
        for wanted in gold:
            touching = [e for e in coding.entities if e.begin < wanted.end and wanted.begin < e.end]
            if not touching:
                result.n_unseen += 1
                if wanted.role:
                    result.misses.append(f"[{topic}] not seen: {text[wanted.begin : wanted.end]!r} in {text}")
                continue
            result.n_seen += 1
            entity = touching[0]
            traits = {trait.name for trait in entity.traits}.intersection(TRAITS.values())
            pairs = [(trait, trait in traits, trait in wanted.traits) for trait in TRAITS.values()]
            if wanted.role:
                roles = (role for role in ROLES.values() if role)
                pairs += [(role, entity.role == role, wanted.role == role) for role in roles]
            for name, found, is_gold in pairs:
                result.found[name] += found
                result.gold[name] += is_gold
                result.right[name] += found and is_gold
                if is_gold != found and (is_gold or name in TRAITS.values()):
                    said = f"{entity.role} {' '.join(sorted(traits))}"
                    verdict = "missed" if is_gold else "wrong"
                    result.misses.append(f"[{topic}] {verdict} {name}: {entity.text!r} ({said}) in {text}")
    return result


def main() -> None:
    """Print precision, recall and F1 per role and trait of the file given."""
    result = agreement(Path(sys.argv[1]))
    if "--misses" in sys.argv:
        sys.stdout.write("\n".join(result.misses) + "\n")
    sys.stdout.write(f"{result.n_seen} conditions seen, {result.n_unseen} not in the lexicon\n")
    roles = [role for role in ROLES.values() if role]
    for label, names in [(name, [name]) for name in (*roles, *TRAITS.values())] + [("all roles", roles)]:
        precision, recall, f1 = result.scores(*names)
        n_gold = sum(result.gold[name] for name in names)
        sys.stdout.write(f"{label:20} n={n_gold:4}  P {precision:.3f}  R {recall:.3f}  F1 {f1:.3f}\n")


if __name__ == "__main__":
    main()

"""The coder in this process, in its one thread: ``python -m benchmarks.coder_process posts.jsonl``.

What it imports is what it measures, so it takes the posts with their drugs found (`coder.write_posts`).
"""

import time

STARTED = time.perf_counter()

import argparse  # noqa: E402 - the clock runs while the rest is imported
import hashlib  # noqa: E402
import json  # noqa: E402
from pathlib import Path  # noqa: E402

import ahocorasick  # noqa: E402

from adverse_events.coding.embedded import EmbeddedCoder  # noqa: E402
from adverse_events.coding.lexicon import load_lexicon  # noqa: E402
from adverse_events.coding.wire import to_response  # noqa: E402
from adverse_events.records import DrugMention  # noqa: E402
from benchmarks.peak import peak_resident_bytes  # noqa: E402

IMPORTED = time.perf_counter()

N_SUBSTRING_POSTS = 50
"""Posts of the substring loop: it is slow, and the same for every post."""


def main() -> None:
    """Load the coder, code the posts, and print what it took and the hash of every answer."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("posts", type=Path)
    given = parser.parse_args()
    began, began_on_core = time.perf_counter(), time.process_time()
    coder = EmbeddedCoder.load()
    loaded, loaded_on_core = time.perf_counter(), time.process_time()
    texts, drugs = read_posts(given.posts)
    started, started_on_core = time.perf_counter(), time.process_time()
    codings = coder.code(texts, drugs)
    seconds, seconds_on_core = time.perf_counter() - started, time.process_time() - started_on_core
    peak = peak_resident_bytes()
    digest = hashlib.sha256()
    for coding in codings:
        digest.update(json.dumps(to_response(coding.entities, coder.coder_version)).encode())
    forms = list(load_lexicon().forms)
    print(
        json.dumps(
            {
                "coder_version": coder.coder_version,
                "import_and_load_seconds": (IMPORTED - STARTED) + (loaded - began),
                "load_seconds": loaded - began,
                "load_core_seconds": loaded_on_core - began_on_core,
                "posts_per_s": len(texts) / seconds,
                "posts_per_core_s": len(texts) / seconds_on_core,
                "substring_loop_posts_per_core_s": substring_loop(texts[:N_SUBSTRING_POSTS], forms),
                "lookup_alone_posts_per_core_s": lookup_alone(texts, forms),
                "peak_bytes": peak,
                "answers_sha256": digest.hexdigest(),
            }
        )
    )


def read_posts(path: Path) -> tuple[list[str], list[list[DrugMention]]]:
    """Return the texts of a file that `coder.write_posts` wrote, and the drugs of each."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [row["text"] for row in rows], [[DrugMention(*drug) for drug in row["drugs"]] for row in rows]


def substring_loop(texts: list[str], forms: list[str]) -> float:
    """Return the posts per second of core time of looking for one form of the lexicon after the other in a text."""
    started = time.process_time()
    for text in texts:
        folded = text.casefold()
        _ = [form for form in forms if form in folded]
    return len(texts) / (time.process_time() - started)


def lookup_alone(texts: list[str], forms: list[str]) -> float:
    """Return the posts per second of core time of one Aho-Corasick pass for them: no words, no context, no codes."""
    automaton = ahocorasick.Automaton()
    for form in forms:
        automaton.add_word(form, form)
    automaton.make_automaton()
    started = time.process_time()
    for text in texts:
        _ = list(automaton.iter(text.casefold()))
    return len(texts) / (time.process_time() - started)


if __name__ == "__main__":
    main()

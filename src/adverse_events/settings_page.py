"""The page ``docs/settings.md``, generated: ``python -m adverse_events.settings_page > docs/settings.md``."""

from __future__ import annotations

import sys

from adverse_events.settings import PREFIX, SETTINGS_FILE, Settings, setting_lines

INTRODUCTION = f"""\
<!-- Generated: python -m adverse_events.settings_page > docs/settings.md -->
# Settings

A setting is given, in falling order of precedence, by a flag (`--set classifier.ade_threshold=0.7`), an environment
variable (`{PREFIX}CLASSIFIER__ADE_THRESHOLD=0.7`), the file `{SETTINGS_FILE}` in the current folder (`[classifier]`
and below it `ade_threshold = 0.7`), or its default. A name that does not exist is refused, wherever it stands.
`ade settings` prints the values in force and where each came from.

| setting | default | meaning |
| --- | --- | --- |
"""


def page() -> str:
    """Return the page as Markdown."""
    # Defaults only: neither the environment nor a file of the person who runs this may reach the page.
    rows = "".join(
        f"| `{line.name}` | `{line.value}` | {line.description} |\n"
        for line in setting_lines(Settings.model_construct())
    )
    return INTRODUCTION + rows


if __name__ == "__main__":
    sys.stdout.write(page())

from pathlib import Path

from adverse_events.settings_page import page


def test_the_settings_page_is_what_the_settings_say(monkeypatch):
    """Regenerate with `python -m adverse_events.settings_page > docs/settings.md`."""
    monkeypatch.setenv("ADE_CLASSIFIER__ADE_THRESHOLD", "0.9")
    assert (Path(__file__).parents[2] / "docs" / "settings.md").read_text() == page()

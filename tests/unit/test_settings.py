"""Settings: which place wins, what is refused and by which name, and that secrets stay hidden."""

from pathlib import Path

import pytest

from adverse_events.errors import UsageError
from adverse_events.settings import SETTINGS_FILE, Settings, load_settings, setting_lines

SECRET = "a made-up key of more than thirty-two characters"  # noqa: S105 - made up
NAME = "classifier.ade_threshold"


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A function that writes the settings file of the current folder, which is an empty one."""
    monkeypatch.chdir(tmp_path)
    return (tmp_path / SETTINGS_FILE).write_text


@pytest.fixture
def in_force():
    """A function that returns the threshold in force and where it came from."""

    def read(overrides=None):
        settings = load_settings(overrides)
        lines = {line.name: line for line in setting_lines(settings, overrides)}
        if settings.classifier.ade_threshold is not None:
            assert lines[NAME].value == str(settings.classifier.ade_threshold)
        return settings.classifier.ade_threshold, lines[NAME].origin

    return read


def test_flags_win_over_the_environment_that_over_the_file_and_the_file_over_defaults(file, in_force, monkeypatch):
    assert in_force() == (None, "default")
    file("[classifier]\nade_threshold = 0.1\n")
    assert in_force() == (0.1, SETTINGS_FILE)
    monkeypatch.setenv("ADE_CLASSIFIER__ADE_THRESHOLD", "0.2")
    assert in_force() == (0.2, "environment")
    assert in_force({NAME: 0.3}) == (0.3, "flag")
    assert in_force({NAME: None}) == (0.2, "environment")


def test_places_add_up_setting_by_setting_not_branch_by_branch(file, monkeypatch):
    file("[classifier]\nade_threshold = 0.1\nthreads = 3\n")
    monkeypatch.setenv("ADE_CLASSIFIER__THREADS", "2")
    classifier = load_settings({"classifier.arithmetic": "float32"}).classifier
    assert (classifier.ade_threshold, classifier.threads, classifier.arithmetic) == (0.1, 2, "float32")


def test_a_whole_branch_may_be_given_as_json(file, monkeypatch):
    monkeypatch.setenv("ADE_CLASSIFIER", '{"threads": 2}')
    assert load_settings().classifier.threads == 2


MISSPELT = {
    "variable": ("ADE_CLASIFIER__ADE_THRESHOLD", "0.5", "did you mean ADE_CLASSIFIER__ADE_THRESHOLD?"),
    "variable in small letters": ("ade_clasifier__threads", "1", "did you mean ADE_CLASSIFIER__THREADS?"),
    "one underscore": ("ADE_LAKE_PATH", "x", "did you mean ADE_LAKE__PATH?"),
    "inside JSON": ("ADE_CLASSIFIER", '{"thread": 2}', "did you mean classifier.threads?"),
    "not JSON": ("ADE_CLASSIFIER", "{", "settings cannot be read"),
}


@pytest.mark.parametrize(("variable", "value", "complaint"), MISSPELT.values(), ids=MISSPELT.keys())
def test_a_misspelt_variable_is_refused_with_the_nearest_name(file, monkeypatch, variable, value, complaint):
    monkeypatch.setenv(variable, value)
    with pytest.raises(UsageError) as refused:
        load_settings()
    assert complaint in str(refused.value)


def test_a_misspelt_override_is_refused_with_the_nearest_name(file):
    with pytest.raises(UsageError, match=r"unknown setting classifier\.threshold; did you mean classifier\.ade_thres"):
        load_settings({"classifier.threshold": 0.5})


BAD_FILES = {
    "not TOML": ("classifier = \n", "settings cannot be read"),
    "not UTF-8": (None, "settings cannot be read"),
    "unknown key": ("[classifier]\nade_treshold = 0.5\n", "did you mean classifier.ade_threshold?"),
    "unknown key, where": ("[classifier]\nade_treshold = 0.5\n", "it stands in adverse_events.toml"),
    "unknown section": ("[clasifier]\nade_threshold = 0.5\n", "unknown setting clasifier"),
    "out of range": ("[classifier]\nade_threshold = 7\n", "setting classifier.ade_threshold in adverse_events.toml: "),
    "wrong type": ("[classifier]\nthreads = 'many'\n", "setting classifier.threads in adverse_events.toml: "),
    "a value for a section": ("lake = 'results'\n", "setting lake in adverse_events.toml: "),
}


@pytest.mark.parametrize(("content", "complaint"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_bad_file_is_refused_naming_the_setting(file, content, complaint):
    if content is None:
        Path(SETTINGS_FILE).write_bytes(b"[lake]\npath = '\xff'\n")
    else:
        file(content)
    with pytest.raises(UsageError) as refused:
        load_settings()
    assert complaint in str(refused.value)


@pytest.mark.parametrize("minutes", [0, -60, 7, 1441])
def test_a_window_length_that_does_not_divide_a_day_is_refused(file, minutes):
    with pytest.raises(UsageError, match=rf"setting window_minutes: .*{minutes} minutes does not divide a day; choose"):
        load_settings({"window_minutes": minutes})


def test_every_problem_is_named_at_once(file):
    with pytest.raises(UsageError, match=r"classifier\.threads: .*; setting classifier\.ade_threshold: "):
        load_settings({NAME: 7, "classifier.threads": -1})


def test_a_secret_shows_in_no_text_made_of_the_settings(file, monkeypatch):
    monkeypatch.setenv("ADE_PRIVACY__IDENTITY_KEY", SECRET)
    settings = load_settings()
    assert settings.privacy.identity_key.get_secret_value() == SECRET
    lines = setting_lines(settings)
    shown = " ".join([repr(settings), str(settings), settings.model_dump_json(), repr(lines)])
    assert SECRET not in shown
    assert [(line.value, line.origin) for line in lines if line.name == "privacy.identity_key"] == [
        ("(hidden)", "environment")
    ]


def test_a_secret_is_not_taken_from_a_flag_or_a_flow_parameter(file):
    """A server keeps the parameters of a run in the clear."""
    with pytest.raises(UsageError, match="is a secret; give it in the environment") as refused:
        load_settings({"privacy.identity_key": SECRET})
    assert SECRET not in str(refused.value)


def test_a_secret_that_is_refused_is_not_quoted(file, monkeypatch):
    monkeypatch.setenv("ADE_PRIVACY__IDENTITY_KEY", "short-but-secret")
    with pytest.raises(UsageError, match=r"setting privacy\.identity_key") as refused:
        load_settings()
    assert "short-but-secret" not in str(refused.value)


def test_settings_cannot_be_changed_afterwards(file):
    settings = load_settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.window_minutes = 30
    with pytest.raises(ValueError, match="frozen"):
        settings.lake.path = Path("elsewhere")


def test_every_setting_is_described(file):
    assert [line.name for line in setting_lines(Settings()) if not line.description] == []


def test_of_two_mappings_the_later_wins_and_its_empty_places_hide_nothing(file):
    options = {"lake.path": "first", "source.path": "posts.csv"}
    settings = load_settings(options, {"lake.path": "second", "source.path": None}, None)
    assert (settings.lake.path, settings.source.path) == ("second", "posts.csv")


@pytest.mark.parametrize("name", ["lake.path", "source.path", "endpoint.transform_path", "catalog.query_output"])
@pytest.mark.parametrize(
    "path", ["S3://bucket/folder", "s3:/bucket/folder", "s3:///folder", "s3a://bucket", "s3://B/x"]
)
def test_what_only_looks_like_an_address_in_s3_is_refused(file, name, path):
    """It would name a strange folder on this machine."""
    with pytest.raises(UsageError, match="is not an address in S3; write s3://bucket/folder"):
        load_settings({name: path})


def test_an_address_in_s3_and_a_folder_whose_name_begins_alike_are_places(file):
    assert load_settings({"lake.path": "s3://my-lake.2026/a b"}).lake.is_s3
    assert not load_settings({"lake.path": "s3-export/lake"}).lake.is_s3

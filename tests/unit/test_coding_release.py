"""The release's codes: shipped whole, and another release can be asked."""

import subprocess
import sys
import warnings

import pytest

from adverse_events.coding.lexicon import FOLDER
from adverse_events.coding.release import RELEASE_FILE, billable_codes, missing_codes, write_list
from adverse_events.errors import UsageError


def order_file(path, codes):
    lines = [
        f"{n:05d} {code.replace('.', ''):<7} {int(valid)} text" for n, (code, valid) in enumerate(codes.items(), 1)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_it_is_every_code_of_the_release():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        release = pytest.importorskip("simple_icd_10_cm")
    codes = billable_codes()
    assert len(codes) > 98_000
    assert RELEASE_FILE.stat().st_size < 100_000
    for code in ("R11", "R11.0", "T43.225", "T43.225A", "S86.019A", "B20", "QA0.0101"):
        assert codes[code] is release.is_leaf(code), code
    assert "R11.7" not in codes


def test_the_shipped_lexicon_has_only_codes_of_its_release():
    assert missing_codes(FOLDER, RELEASE_FILE) == []


def test_a_code_that_another_release_dropped_or_split_is_named(tmp_path):
    codes = dict(billable_codes())
    del codes["R11.0"]
    codes["R42"] = False
    faults = missing_codes(FOLDER, order_file(tmp_path / "icd10cm-order-2031.txt", codes))
    assert {fault.split(": ", 1)[1] for fault in faults} == {
        "R42 is no longer valid for reporting; it has children",
        "R11.0 is not in the release",
    }
    assert all(fault.startswith("conditions.csv, line ") for fault in faults)


def test_a_list_written_is_read_back(tmp_path):
    codes = {"R11": False, "R11.0": True}
    write_list(codes, tmp_path / "codes.txt.xz")
    assert dict(billable_codes(tmp_path / "codes.txt.xz")) == codes


def test_a_file_of_another_kind_is_refused_by_line(tmp_path):
    path = tmp_path / "codes.txt"
    path.write_text("R11.0\nnausea\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"codes\.txt, line 2"):
        billable_codes(path)


def test_the_command_says_what_is_missing_and_fails(tmp_path):
    codes = {code: valid for code, valid in billable_codes().items() if code != "R11.0"}
    path = order_file(tmp_path / "order.txt", codes)
    done = subprocess.run(
        [sys.executable, "-m", "adverse_events.coding.release", "check", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "R11.0 is not in the release" in done.stdout

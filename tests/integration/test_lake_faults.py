"""What a lake survives: kills, two writers at once, a full disk, a reader while it is written."""

import random
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from adverse_events.lake import LocalLake
from tests.lake_process import writer
from tests.staged_batches import LAKE, data_files, hours

ROOT = Path(__file__).parents[2]
N_KILLS = 15


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The data files that each batch leaves in a lake of its own, and the fewest steps one took to write."""
    folder = tmp_path_factory.mktemp("undisturbed")
    files, steps = {}, []
    for seed in ("1", "2"):
        with writer(folder / seed, folder / f"staged-{seed}") as tell:
            steps.append(int(tell(f"steps {seed}")))
        files[seed] = data_files(folder / seed)
    return files, min(steps)


def a_kill(draw, n_steps):
    """When to kill a write of so many steps, as the arguments of ``kill``."""
    return f"{draw.randint(2, int(0.9 * n_steps))} {draw.uniform(0, 0.002):.5f}"


def test_a_run_killed_at_any_moment_and_run_again_leaves_the_lake_of_an_undisturbed_run(tmp_path, undisturbed):
    """Kills fall into first writes and into rewrites of other data; what a kill leaves is mended by the next run."""
    files, n_steps = undisturbed
    draw = random.Random(20260301)  # noqa: S311 - moments of kills, not secrets
    outcomes = []

    with writer(tmp_path / "lake", tmp_path / "staged") as tell:
        for turn in range(N_KILLS):
            seed = "12"[turn % 2]
            outcomes.append(tell(f"kill {seed} {a_kill(draw, n_steps)}"))
            if turn % 3 == 2:
                assert tell(f"write {seed}") == "done"
                assert data_files(tmp_path / "lake") == files[seed]
        assert tell("write 1") == "done"

    assert outcomes.count("killed") >= 10
    assert data_files(tmp_path / "lake") == files["1"]
    assert not list((tmp_path / "lake").glob(".staging-*"))


def test_after_a_kill_a_receipt_still_vouches_for_whole_data(tmp_path, undisturbed):
    """A window that the kill caught half-way has no receipt, so a backfill takes it up."""
    _, n_steps = undisturbed
    draw = random.Random(7)  # noqa: S311 - moments of kills, not secrets

    with writer(tmp_path / "lake", tmp_path / "staged") as tell:
        assert tell("write 1") == "done"
        for turn in range(6):
            tell(f"kill {'21'[turn % 2]} {a_kill(draw, n_steps)}")
            check_receipts_tell_the_truth(tmp_path / "lake")


def check_receipts_tell_the_truth(folder):
    files = data_files(folder)
    lake = LocalLake.open(folder, **LAKE)
    for receipt in lake.receipts().to_pylist():
        partition = f"{receipt['window_start']:event_date=%Y-%m-%d/event_time=%H%M/}"
        present = {key: len(data) for key, data in files.items() if partition in key}
        assert present == {part["key"]: part["n_bytes"] for part in receipt["parts"]}


def test_two_processes_that_write_the_same_windows_leave_one_result_for_each(tmp_path, undisturbed):
    files, _ = undisturbed

    with writer(tmp_path / "lake", tmp_path / "staged") as tell:
        for _ in range(8):
            assert tell("race 1 2") == "done"

    left = data_files(tmp_path / "lake")
    for window in hours(12):
        of_window = {key: data for key, data in left.items() if window.partition in key}
        assert of_window in [
            {key: data for key, data in files[seed].items() if window.partition in key} for seed in files
        ]
    check_receipts_tell_the_truth(tmp_path / "lake")


def test_two_processes_that_write_the_same_data_at_once_leave_it_as_one_would(tmp_path, undisturbed):
    files, _ = undisturbed

    with writer(tmp_path / "lake", tmp_path / "staged") as tell:
        for _ in range(4):
            assert tell("race 1 1") == "done"

    assert data_files(tmp_path / "lake") == files["1"]


_READER = textwrap.dedent(
    """
    import select, sys
    from pathlib import Path
    from adverse_events.lake.query import query
    n = 0
    while not select.select([sys.stdin], [], [], 0)[0]:
        query(Path(sys.argv[1]), "SELECT sum(n_duplicates), max(text) FROM assessments")
        query(Path(sys.argv[1]), "SELECT sum(rows_in) FROM receipts")
        n += 2
    print(n)
    """
)


def test_a_reader_never_fails_while_windows_are_rewritten(tmp_path):
    """It may see a window before or after, and never a file being written."""
    with writer(tmp_path / "lake", tmp_path / "staged") as tell:
        assert tell("write 1") == "done"
        command = [sys.executable, "-c", _READER, str(tmp_path / "lake")]
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
            for turn in range(6):
                assert tell(f"write {'21'[turn % 2]}") == "done"
            answer, _ = reader.communicate("stop\n")

    assert reader.returncode == 0
    assert int(answer) >= 5


def test_a_run_does_not_remove_the_staging_of_another_that_is_alive(tmp_path):
    lake = tmp_path / "lake"
    LocalLake.open(lake, **LAKE)
    holder = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from adverse_events.lake.files import staging_folder
        with staging_folder(Path(sys.argv[1])) as folder:
            print(folder, flush=True)
            sys.stdin.read()
        """
    )
    command = [sys.executable, "-c", holder, str(lake)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        staging = Path(process.stdout.readline().strip())
        LocalLake.open(lake, **LAKE)
        assert staging.is_dir()
        process.kill()
        process.wait()

    LocalLake.open(lake, **LAKE)

    assert not staging.exists()


_FILL = textwrap.dedent(
    """
    import resource, sys
    from pathlib import Path
    from adverse_events.errors import PermanentServiceError
    from adverse_events.lake import LocalLake
    from tests.staged_batches import LAKE, PROVENANCE, coded_row, hours, stage
    folder, staged, limit = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    (window,) = hours(1)
    lake = LocalLake.open(folder, **LAKE)
    lake.write(stage(staged / "small", {window: [coded_row(window, 1)]}), PROVENANCE)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    batch = stage(staged / "large", {window: [coded_row(window, n) for n in range(20_000)]})
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        lake.write(batch, PROVENANCE)
    except PermanentServiceError as error:
        print(error)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    """
)


def test_a_file_the_system_refuses_to_grow_leaves_the_window_as_it_was(tmp_path):
    command = [sys.executable, "-c", _FILL, str(tmp_path / "lake"), str(tmp_path / "staged"), "100000"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert f"{tmp_path / 'lake'}: File too large" in done.stdout
    assert "window 2026-03-01T00:00Z/2026-03-01T01:00Z is unchanged; free space" in done.stdout
    assert "nausea" not in done.stdout + done.stderr


def test_a_full_disk_leaves_the_window_as_it_was(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    script = 'mount -t tmpfs -o size=300k none "$1" && exec "$2" -c "$3" "$1/lake" "$4" 0'
    command = ["unshare", "-rm", "sh", "-c", script, "sh", str(disk), sys.executable, _FILL, str(tmp_path / "staged")]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("unshare is not installed: no file system of our own to fill")
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip("this user may not mount a file system of its own to fill")

    assert done.returncode == 0, done.stderr
    assert f"{disk / 'lake'}: No space left on device" in done.stdout
    assert "is unchanged; free space" in done.stdout

"""The embedded default needs none of the cloud's libraries: they are an extra."""

import subprocess
import sys

PROGRAM = """
import sys

ABSENT = {"boto3", "botocore", "awswrangler", "moto", "sqlglot", "pandas", "torch", "prefect_aws"}


class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, NotInstalled())

from adverse_events import assembly
from adverse_events.errors import UsageError
from adverse_events.settings import load_settings

assembly.provenance_for(load_settings())
assembly.reader_for(load_settings())
import ade.demo_live, ade.local_x  # X's protocol on this machine is none of AWS's
for options in (
    {"endpoint.name": "ade"},
    {"coding.service": "comprehend"},
    {"lake.path": "s3://bucket/lake"},
    {"source.path": "s3://bucket/posts"},
):
    try:
        settings = load_settings(options)
        assembly.check_source(settings) if "source.path" in options else assembly.provenance_for(settings)
        assembly.lake_for(settings)
    except UsageError as error:
        print(error)
"""


def test_the_embedded_default_runs_without_and_aws_says_what_to_install():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    answers = done.stdout.splitlines()
    assert len(answers) == 4
    assert all(
        line.endswith("not installed; in the checkout: pip install -c constraints.txt -e '.[aws]'") for line in answers
    )

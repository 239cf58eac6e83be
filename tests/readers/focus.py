"""Checks a FOCUS file: 1.4 with focus-data-toolkit, 1.2 with the official focus-validator, neither of them online."""

import pathlib
import subprocess
import sys

version, path = sys.argv[1], sys.argv[2]
bin = pathlib.Path(sys.executable).parent
if version == "1.4":
    command, place = [bin / "focus-toolkit", "validate", "--dataset", "cost-and-usage", path], None
else:
    import focus_validator

    # It looks for its rules beside where it runs.
    place = pathlib.Path(focus_validator.__file__).parent.parent
    command = [bin / "focus-validator", "--data-file", path, "--validate-version", "1.2.0.1", "--block-download", "--focus-dataset", "CostAndUsage"]
done = subprocess.run(command, cwd=place, capture_output=True, text=True)
print(done.stdout[-12000:], done.stderr[-4000:])
sys.exit(done.returncode)

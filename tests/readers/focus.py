"""Checks a FOCUS file: 1.4 with focus-data-toolkit, 1.2 with the official focus-validator, neither of them online."""

import pathlib
import re
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
# The official one ends with 0 whatever it finds. It also tells each side of an alternative: an invoice's id must be null,
# or must not be; that one of them holds is a rule of its own.
ALTERNATIVES = {"InvoiceId-C-004-C", "InvoiceId-C-005-C"}
failed = set(re.findall(r"(\S+): FAIL", done.stdout))
print("failed:", sorted(failed))
sys.exit(1 if done.returncode or failed - ALTERNATIVES or "Traceback" in done.stderr or (version == "1.2" and "PASS" not in done.stdout) else 0)

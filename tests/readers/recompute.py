"""Runs a bundle's recompute.sql with DuckDB alone and compares what it answers with billed.csv, to the digit."""

import csv
import sys

import duckdb

folder = sys.argv[1]
connection = duckdb.connect(config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})
connection.execute(f"SET file_search_path = '{folder}'")
with open(f"{folder}/recompute.sql") as file:
    result = connection.execute(file.read())
columns = [column[0] for column in result.description]
found = {}
for row in result.fetchall():
    told = dict(zip(columns, ("" if value is None else str(value) for value in row)))
    found[(told["side"], told["what"], told["domain"], told["region"])] = (told["bytes"], told["used"], told["amount"])
expected = {}
with open(f"{folder}/billed.csv", newline="") as file:
    for row in csv.DictReader(file):
        expected[(row["side"], row["what"], row["domain"], row["region"])] = (row["bytes"], row["used"], row["amount"])
wrong = 0
for key in sorted(found.keys() | expected.keys()):
    here, there = found.get(key), expected.get(key)
    # Where money is rounded once, a line's amount is not money yet: only the total is compared.
    equal = here is not None and there is not None and here[:2] == there[:2] and here[2] in ("", there[2])
    if key[1] == "total" and here is not None and here[2] == "":
        equal = False
    wrong += not equal
    print("equal" if equal else "DIFFERENT", key, here, there)
if "facts.parquet" in sys.argv[2:]:
    facts, series = connection.execute(
        "SELECT (SELECT sum(bytes) FROM 'facts.parquet'), (SELECT sum(bytes) FROM 'series.parquet' WHERE side = 'log')"
    ).fetchone()
    wrong += facts != series
    print("facts", facts, "series", series)
sys.exit(1 if wrong or not expected else 0)

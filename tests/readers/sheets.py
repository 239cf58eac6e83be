"""Tells a workbook's sheets as openpyxl reads them, one JSON object: name → header, frozen cell, rows."""

import json
import sys

import openpyxl

sheets = {}
for sheet in openpyxl.load_workbook(sys.argv[1]):
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    bold = all(cell.font.b for cell in sheet[1])
    sheets[sheet.title] = {"frozen": sheet.freeze_panes, "bold": bold, "header": rows[0], "rows": rows[1:]}
print(json.dumps(sheets))

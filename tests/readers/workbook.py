"""Opens a workbook with openpyxl: every sheet has a frozen header, and what is a number is one."""

import sys

import openpyxl

book = openpyxl.load_workbook(sys.argv[1])
print(book.sheetnames)
assert book.sheetnames[0] == "Summary" and "Lines" not in book.sheetnames, "a sheet per vendor, the summary first"
for sheet in book:
    assert sheet.freeze_panes == "A2", (sheet.title, sheet.freeze_panes)
    header = [cell.value for cell in sheet[1]]
    for name in header:
        if not name.endswith(("bytes", "quantity", "amount")):
            continue
        column = header.index(name) + 1
        for row in range(2, sheet.max_row + 1):
            value = sheet.cell(row, column).value
            assert value is None or isinstance(value, (int, float)), (sheet.title, name, row, value)
lines = next(sheet for sheet in book if sheet.title.startswith("acme"))
amounts = [row[10] for row in lines.iter_rows(min_row=2, values_only=True) if row[10] is not None]
print(round(sum(amounts), 2))
assert round(sum(amounts), 2) == 82.61, sum(amounts)

//! Invoices: golden files, spreadsheets, FOCUS, refusals by row and column, limits, and that nothing half-read stays.

use livemeter_logs::StoreError;
use livemeter_logs::invoice::{Invoice, InvoiceError, InvoiceImported, InvoiceLimits, InvoiceRequest, InvoiceStore, Layout, Template};
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
use tempfile::TempDir;

const EDGE: &str = include_str!("../invoices/edge.csv");
const FOCUS: &str = include_str!("../invoices/focus.csv");
/// 2026-10-01 00:00 in Shanghai, and a day.
const OCTOBER_MS: i64 = 1_790_784_000_000;
const DAY_MS: i64 = 86_400_000;

struct Desk {
    folder: TempDir,
    store: InvoiceStore,
}

fn desk() -> Desk {
    desk_with(InvoiceLimits::default())
}

fn desk_with(limits: InvoiceLimits) -> Desk {
    let folder = tempfile::tempdir().unwrap();
    let store = InvoiceStore::new(folder.path().join("bills"), limits);
    Desk { folder, store }
}

fn edge() -> Layout {
    Template::parse(include_str!("../invoices/edge.toml")).unwrap().into()
}

impl Desk {
    fn import(&self, layout: Layout, name: &str, bytes: impl AsRef<[u8]>, currency: Option<&str>) -> Result<InvoiceImported, InvoiceError> {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let currency = currency.map(str::to_owned);
        self.store.import(&InvoiceRequest { vendor: "edge".to_owned(), path, name: None, layout, currency, imported_at_ms: 7 })
    }

    fn stored(&self) -> usize {
        let entries = std::fs::read_dir(self.folder.path().join("bills/invoices/edge"));
        entries.map_or(0, |entries| entries.filter(|entry| entry.as_ref().unwrap().file_name() != ".lock").count())
    }
}

/// Row, item, domain, quantity, amount.
type Line<'a> = (u64, &'a str, Option<&'a str>, Option<String>, String);

fn lines(invoice: &Invoice) -> Vec<Line<'_>> {
    let line = |line: &'_ livemeter_logs::invoice::InvoiceLine| (line.row, line.quantity.map(|q| q.to_string()), line.amount.to_string());
    invoice
        .lines
        .iter()
        .map(|l| (l, line(l)))
        .map(|(l, (row, quantity, amount))| (row, l.item.as_str(), l.domain.as_deref(), quantity, amount))
        .collect()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn edge_lines() -> Vec<Line<'static>> {
    vec![
        (5, "traffic", Some("live.example"), some("1234.567"), "246.91".to_owned()),
        (6, "traffic", Some("live.example"), some("12000.1"), "2400.02".to_owned()),
        (7, "discount, \"autumn\"", None, None, "-46.93".to_owned()),
    ]
}

#[test]
fn a_csv_by_its_template() {
    let desk = desk();
    let imported = desk.import(edge(), "edge.csv", EDGE, Some("CNY")).unwrap();
    let invoice = &imported.invoice;
    assert!(!imported.known);
    assert_eq!(lines(invoice), edge_lines());
    assert_eq!(
        (invoice.total.to_string().as_str(), invoice.currency.as_str(), invoice.layout.as_str()),
        ("2600.00", "CNY", "template:edge")
    );
    assert_eq!((invoice.from_ms, invoice.to_ms), (OCTOBER_MS, OCTOBER_MS + 31 * DAY_MS));
    let first = &invoice.lines[0];
    assert_eq!(
        (first.from_ms, first.to_ms, first.unit.as_deref(), first.region.as_deref()),
        (OCTOBER_MS, OCTOBER_MS + DAY_MS, Some("GB"), Some("CN-N"))
    );
    assert_eq!(first.text, "2026-10-01\ttraffic\tLive.example\tCN-N\t1,234.567\tGB\t0.20\t246.91\t人民币");
    // What was stored is what was read, to the last digit; and the original is beside it.
    assert_eq!(desk.store.find("edge", &invoice.sha256[..8]).unwrap(), *invoice);
    assert_eq!(std::fs::read_to_string(desk.store.original("edge", &invoice.sha256).unwrap()).unwrap(), EDGE);
    let again = desk.import(edge(), "again.csv", EDGE, None).unwrap();
    assert_eq!((again.known, &again.invoice), (true, invoice));
    assert_eq!(desk.stored(), 2);
    assert_eq!(desk.store.invoices(None).unwrap(), std::slice::from_ref(invoice));
    desk.store.forget("edge", &invoice.sha256).unwrap();
    assert_eq!(desk.stored(), 0);
    assert!(matches!(desk.store.find("edge", &invoice.sha256), Err(StoreError::Unknown { .. })));
}

#[test]
fn rows_are_counted_as_a_spreadsheet_counts_them() {
    let text = EDGE.replace("Edge Networks Ltd.", "\"Edge\nNetworks\"");
    assert_eq!(lines(&desk().import(edge(), "a", &text, None).unwrap().invoice), edge_lines());
    assert_eq!(lines(&desk().import(edge(), "a", text.replace('\n', "\r\n"), None).unwrap().invoice), edge_lines());
}

#[test]
fn a_comma_for_the_fraction() {
    let toml = "name = \"c\"\ntz = \"Europe/Berlin\"\ndelimiter = \";\"\ndecimal_comma = true\ncurrency = \"EUR\"\nunit = \"Mbps\"\ndate_format = \"%d.%m.%Y\"\n[columns]\nfrom = \"Von\"\nto = \"Bis\"\nitem = \"Position\"\nquantity = \"Menge\"\namount = \"Betrag\"";
    let layout: Layout = Template::parse(toml).unwrap().into();
    let invoice = desk().import(layout, "c.csv", include_str!("../invoices/comma.csv"), Some("EUR")).unwrap().invoice;
    assert_eq!(lines(&invoice), [(2, "Bandbreite", None, some("95.5"), "1234.50".to_owned())]);
    assert_eq!(invoice.lines[0].unit.as_deref(), Some("Mbps"));
    assert_eq!(invoice.to_ms - invoice.from_ms, 31 * DAY_MS + 3_600_000, "the month of 25 hours in one day");
}

/// The same invoice as a spreadsheet, numbers as numbers.
fn sheet(amount: f64) -> Vec<u8> {
    let mut book = Workbook::new();
    book.add_worksheet().set_name("Cover").unwrap().write(0, 0, "nothing here").unwrap();
    let sheet = book.add_worksheet().set_name("Details").unwrap();
    sheet.write(1, 2, "Edge Networks Ltd.").unwrap();
    let headings = ["账期", "Item", "Domain", "Region", "Usage", "Unit", "Unit price", "Amount", "Currency"];
    for (column, heading) in headings.iter().enumerate() {
        sheet.write(3, column as u16 + 1, *heading).unwrap();
    }
    let day = Format::new().set_num_format("yyyy-mm-dd");
    sheet.write_with_format(4, 1, ExcelDateTime::from_ymd(2026, 10, 1).unwrap(), &day).unwrap();
    for (column, text) in [(2, "traffic"), (3, "Live.example"), (4, "CN-N"), (6, "GB"), (9, "CNY")] {
        sheet.write(4, column, text).unwrap();
    }
    for (column, number) in [(5, 1234.567), (7, 0.2), (8, amount)] {
        sheet.write(4, column, number).unwrap();
    }
    book.save_to_buffer().unwrap()
}

fn edge_sheet() -> Layout {
    let toml = format!("sheet = \"Details\"\n{}", include_str!("../invoices/edge.toml"));
    Template::parse(&toml).unwrap().into()
}

#[test]
fn a_sheets_numbers_are_what_was_typed() {
    // None of these is exact in binary; each must come back as its shortest text.
    for (number, text) in
        [(246.91, "246.91"), (0.1, "0.1"), (1_234_567.89, "1234567.89"), (-46.93, "-46.93"), (1e-7, "0.0000001"), (100.0, "100")]
    {
        let desk = desk();
        let invoice = desk.import(edge_sheet(), "edge.xlsx", sheet(number), Some("CNY")).unwrap().invoice;
        assert_eq!(lines(&invoice), [(5, "traffic", Some("live.example"), some("1234.567"), text.to_owned())]);
        assert_eq!((invoice.from_ms, invoice.to_ms), (OCTOBER_MS, OCTOBER_MS + DAY_MS));
        assert!(desk.store.original("edge", &invoice.sha256).unwrap().extension().is_some_and(|ending| ending == "xlsx"));
    }
}

#[test]
fn focus_as_it_is() {
    let invoice = desk().import(Layout::Focus, "focus.csv", FOCUS, Some("USD")).unwrap().invoice;
    let expected = [
        (2, "Data transfer out", Some("live.example"), some("145.25"), "12.3456789012".to_owned()),
        (3, "Requests", Some("live.example"), some("3"), "0.00000015".to_owned()),
        (4, "Credit", None, None, "-0.0000000012".to_owned()),
    ];
    assert_eq!(lines(&invoice), expected);
    assert_eq!(invoice.total.to_string(), "12.3456790500");
    let first = &invoice.lines[0];
    assert_eq!(
        (first.from_ms, first.to_ms - first.from_ms, first.region.as_deref()),
        (OCTOBER_MS + DAY_MS / 3, DAY_MS, Some("eu-central-1"))
    );
    assert_eq!(first.price.map(|price| price.to_string()), some("0.085"));
}

#[test]
fn what_is_wrong_is_refused_by_row_and_column_and_nothing_stays() {
    let cases = [
        ("246.91", "\"246,91\"", 5, "Amount"),
        ("246.91", "", 5, "Amount"),
        ("2026-10-02 ~", "2026-11-02 ~", 6, "账期"),
        ("2026-10,\"disc", "soon,\"disc", 7, "账期"),
        ("12000.1", "12000.1 GB", 6, "Usage"),
        ("0.20,246.91", "free,246.91", 5, "Unit price"),
        ("人民币", "", 5, "Currency"),
        ("人民币", "yuan", 5, "Currency"),
        (",traffic,Live", ",,Live", 5, "Item"),
    ];
    for (good, bad, row, column) in cases {
        let desk = desk();
        match desk.import(edge(), "edge.csv", EDGE.replacen(good, bad, 1), Some("CNY")) {
            Err(InvoiceError::Cell { row: found, column: name, .. }) => assert_eq!((found, name.as_str()), (row, column), "{bad}"),
            other => panic!("{bad}: {other:?}"),
        }
        assert_eq!(desk.stored(), 0, "{bad}");
    }
    let focus = FOCUS.replace("12.3456789012", "12,3");
    assert!(matches!(desk().import(Layout::Focus, "f", focus, None), Err(InvoiceError::Cell { row: 2, .. })));
    let backwards = FOCUS.replacen("2026-10-02T", "2026-09-02T", 1);
    assert!(matches!(desk().import(Layout::Focus, "f", backwards, None), Err(InvoiceError::Cell { row: 2, .. })));
}

#[test]
fn another_currency_is_refused() {
    for (layout, text, row) in [(edge(), EDGE.to_owned(), 5), (Layout::Focus, FOCUS.to_owned(), 2)] {
        match desk().import(layout, "a", text, Some("EUR")) {
            Err(InvoiceError::Currency { row: found, expected, .. }) => assert_eq!((found, expected.as_str()), (row, "EUR")),
            other => panic!("{other:?}"),
        }
    }
    let mixed = EDGE.replacen("2,400.02\",CNY", "2,400.02\",USD", 1);
    assert!(matches!(desk().import(edge(), "a", mixed, None), Err(InvoiceError::Currency { row: 6, .. })));
}

#[test]
fn another_file_is_refused() {
    match desk().import(edge(), "a", EDGE.replace("Unit price", "Price"), None) {
        Err(InvoiceError::Header { missing, .. }) => assert_eq!(missing, "Unit price"),
        other => panic!("{other:?}"),
    }
    assert!(matches!(desk().import(Layout::Focus, "a", EDGE, None), Err(InvoiceError::Header { .. })));
    assert!(matches!(desk().import(Layout::Focus, "a", sheet(1.0), None), Err(InvoiceError::File { kind: "FOCUS", .. })));
    assert!(matches!(desk().import(edge(), "a", sheet(1.0), None), Err(InvoiceError::Header { .. })), "the first sheet is another");
    assert!(matches!(desk().import(edge_sheet(), "a", b"PK\x03\x04 no zip", None), Err(InvoiceError::File { kind: "XLSX", .. })));
    assert!(matches!(desk().import(edge(), "a", EDGE.split("2026-10-01").next().unwrap(), None), Err(InvoiceError::Empty { .. })));
    let latin = [EDGE.as_bytes().split_at(EDGE.find("traffic").unwrap()).0, b"caf\xe9,a\n"].concat();
    assert!(matches!(desk().import(edge(), "a", latin, None), Err(InvoiceError::Cell { row: 5, .. })));
}

#[test]
fn invoices_have_limits() {
    let limit = |limits: InvoiceLimits, layout: Layout, bytes: &[u8]| {
        let desk = desk_with(limits);
        let refused = desk.import(layout, "a", bytes, None);
        assert!(refused.is_ok() || desk.stored() == 0);
        match refused {
            Err(InvoiceError::Limit { limit, value, max, .. }) => Some((limit, value > max)),
            Err(other) => panic!("{other}"),
            Ok(_) => None,
        }
    };
    let all = InvoiceLimits::default();
    let (csv, xlsx) = (EDGE.as_bytes(), sheet(1.0));
    let length = csv.len() as u64;
    assert_eq!(limit(InvoiceLimits { file_bytes_max: length, ..all.clone() }, edge(), csv), None);
    assert_eq!(limit(InvoiceLimits { file_bytes_max: length - 1, ..all.clone() }, edge(), csv), Some(("file_bytes_max", true)));
    assert_eq!(limit(InvoiceLimits { rows_max: 9, ..all.clone() }, edge(), csv), None);
    assert_eq!(limit(InvoiceLimits { rows_max: 8, ..all.clone() }, edge(), csv), Some(("rows_max", true)));
    assert_eq!(limit(InvoiceLimits { columns_max: 9, ..all.clone() }, edge(), csv), None);
    assert_eq!(limit(InvoiceLimits { columns_max: 8, ..all.clone() }, edge(), csv), Some(("columns_max", true)));
    assert_eq!(limit(InvoiceLimits { cell_bytes_max: 22, ..all.clone() }, edge(), csv), Some(("cell_bytes_max", true)));
    assert_eq!(limit(InvoiceLimits { columns_max: 9, ..all.clone() }, edge_sheet(), &xlsx), Some(("columns_max", true)));
    assert_eq!(limit(InvoiceLimits { unpacked_bytes_max: 2_000, ..all.clone() }, edge_sheet(), &xlsx), Some(("unpacked_bytes_max", true)));
    assert_eq!(
        limit(InvoiceLimits { ratio_max: 1, ratio_free_bytes: 1_000, ..all.clone() }, edge_sheet(), &xlsx),
        Some(("ratio_max", true))
    );
    assert_eq!(limit(all.clone(), edge_sheet(), &xlsx), None);
    let desk = desk_with(InvoiceLimits { invoices_max: 1, ..all });
    desk.import(edge(), "a", EDGE, None).unwrap();
    assert!(matches!(desk.import(Layout::Focus, "b", FOCUS, None), Err(InvoiceError::Limit { limit: "invoices_max", .. })));
}

/// One cell in the last corner of a sheet: a reader that holds all between would need terabytes.
#[test]
fn a_far_corner_costs_nothing() {
    let mut book = Workbook::new();
    book.add_worksheet().write(0, 0, "a").unwrap().write(1_048_575, 0, "b").unwrap();
    let bytes = book.save_to_buffer().unwrap();
    let layout: Layout = Template::parse(include_str!("../invoices/edge.toml")).unwrap().into();
    assert!(matches!(desk().import(layout, "a", bytes, None), Err(InvoiceError::Header { .. })));
}

#[test]
fn a_wrong_template_is_refused_by_field() {
    let good = include_str!("../invoices/edge.toml");
    let cases = [
        ("tz = \"Asia/Shanghai\"", "tz = \"Mars\"", "tz"),
        ("period = \"账期\"", "from = \"账期\"", "columns"),
        ("currency = \"Currency\"", "", "currency"),
        ("\"人民币\" = \"CNY\"", "\"人民币\" = \"yuan\"", "currency"),
        ("header_rows = 10", "delimiter = \"，\"", "delimiter"),
        ("header_rows = 10", "date_format = \"%!\"", "date_format"),
        ("name = \"edge\"", "name = \"a b\"", "name"),
        ("header_rows = 10", "rows = 1", "rows"),
        ("header_rows = 10", "unit = \"GB\"", "unit"),
    ];
    for (from, to, field) in cases {
        assert_eq!(Template::parse(&good.replace(from, to)).map(|_| ()).unwrap_err().field, field, "{to}");
    }
}

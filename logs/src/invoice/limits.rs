//! How large an invoice may be, and why.

/// Each refusal names the limit by the field's name here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceLimits {
    /// It is held in memory while it is read. An invoice of 32 MiB is an export of something else.
    pub file_bytes_max: u64,
    /// A month of 200 domains × 31 days × 20 regions fits.
    pub rows_max: u64,
    pub columns_max: usize,
    pub cell_bytes_max: usize,
    /// The parts of an XLSX may be so many times larger than the file: real sheets stay under 30.
    pub ratio_max: u64,
    /// So many unpacked bytes are free of `ratio_max`: a small sheet of equal cells packs well and harms nobody.
    pub ratio_free_bytes: u64,
    /// The parts of an XLSX unpacked, together: its shared texts are held in memory.
    pub unpacked_bytes_max: u64,
    /// Invoices of one vendor: all are read when they are listed.
    pub invoices_max: usize,
}

impl Default for InvoiceLimits {
    fn default() -> Self {
        InvoiceLimits {
            file_bytes_max: 32 << 20,
            rows_max: 200_000,
            columns_max: 256,
            cell_bytes_max: 8 << 10,
            ratio_max: 100,
            ratio_free_bytes: 8 << 20,
            unpacked_bytes_max: 256 << 20,
            invoices_max: 10_000,
        }
    }
}

//! How large an invoice may be, and why.

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceLimits {
    /// An invoice is read by people first: one of 32 MiB is an export of something else.
    pub file_bytes_max: u64,
    /// A month of 200 domains × 31 days × 20 regions fits.
    pub rows_max: u64,
    pub columns_max: usize,
    pub cell_bytes_max: usize,
    /// Unpacked parts of an XLSX may be so many times larger than the file: real sheets stay under 30.
    pub ratio_max: u64,
    /// Unpacked parts of an XLSX, together.
    pub unpacked_bytes_max: u64,
}

impl Default for InvoiceLimits {
    fn default() -> Self {
        InvoiceLimits {
            file_bytes_max: 32 << 20,
            rows_max: 200_000,
            columns_max: 256,
            cell_bytes_max: 8 << 10,
            ratio_max: 100,
            unpacked_bytes_max: 512 << 20,
        }
    }
}

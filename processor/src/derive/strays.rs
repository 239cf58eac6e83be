//! Sessions whose rows, as read, do not add up to the counters they reached: some of them lie on other dates.
//! Conservation, which holds for every session, is what finds them.

use crate::error::Error;
use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use deltalake::datafusion::error::Result;
use deltalake::datafusion::prelude::SessionContext;
use std::sync::Arc;

/// So many are looked up one by one; with more, all dates are made anew.
const STRAYS_MAX: usize = 10_000;

/// Their apps and ids.
#[derive(Debug, Default)]
pub struct Strays {
    ids: Vec<(String, String)>,
    more: bool,
}

impl Strays {
    /// Notes those of a batch of sessions.
    pub fn look(&mut self, batch: &RecordBatch) -> std::result::Result<(), Error> {
        let wrong = || Error::Ledger("sessions lack app, session_id or whole".into());
        let column = |name: &str| batch.column_by_name(name).ok_or_else(wrong);
        let text = |name: &str| cast(column(name)?, &DataType::Utf8).map_err(|_| wrong());
        let (app, id, whole) = (text("app")?, text("session_id")?, column("whole")?.as_boolean_opt().ok_or_else(wrong)?);
        let (app, id) = (app.as_string_opt::<i32>().ok_or_else(wrong)?, id.as_string_opt::<i32>().ok_or_else(wrong)?);
        for row in (0..batch.num_rows()).filter(|row| whole.is_valid(*row) && !whole.value(*row)) {
            if self.ids.len() >= STRAYS_MAX {
                self.more = true;
                break;
            }
            self.ids.push((app.value(row).to_owned(), id.value(row).to_owned()));
        }
        Ok(())
    }

    pub fn overflowed(&self) -> bool {
        self.more
    }

    /// Makes them a table that statements can join. False: there are none.
    pub fn register(&self, context: &SessionContext) -> Result<bool> {
        if self.ids.is_empty() {
            return Ok(false);
        }
        let schema = Schema::new(["app", "session_id"].map(|name| Field::new(name, DataType::Utf8, false)).to_vec());
        let apps: StringArray = self.ids.iter().map(|(app, _)| Some(app)).collect();
        let ids: StringArray = self.ids.iter().map(|(_, id)| Some(id)).collect();
        let batch = RecordBatch::try_new(Arc::new(schema), vec![Arc::new(apps), Arc::new(ids)])?;
        context.deregister_table("strays")?;
        context.register_batch("strays", batch)?;
        Ok(true)
    }
}

//! Writing one cell: one transaction, on condition that the key is still as it was seen.

use crate::Backend;
use crate::entry::{Cell, Value};
use crate::look::{Found, found};
use crate::members::Trouble;
use etcd_client::{Compare, CompareOp, PutOptions, Txn, TxnOp, TxnOpResponse, TxnResponse};
use rein_plugin::registry::shown;
use rein_plugin::{Fault, Write};

impl Backend {
    /// Makes a cell hold what is wanted.
    pub(crate) async fn apply(&self, write: &Write) -> Result<(), Fault> {
        let cell = Cell::parse(&write.cell.0, &self.settings.prefix)?;
        let want = write.want.as_deref().map(|text| Value::parse(text, &cell)).transpose()?;
        let expected: i64 = write.expected_version.parse().map_err(|_| {
            Fault::Invalid(format!("`{}` is no revision of a key", shown(&write.expected_version)))
        })?;
        let key = cell.key.as_str();
        let operation = match &want {
            Some(value) => {
                let options = (cell.lease != 0).then(|| PutOptions::new().with_lease(cell.lease));
                TxnOp::put(key, value.value.as_str(), options)
            }
            None => TxnOp::delete(key, None),
        };
        let txn = Txn::new()
            .when([Compare::mod_revision(key, CompareOp::Equal, expected)])
            .and_then([operation])
            .or_else([TxnOp::get(key, None)]);
        let send = |mut client: etcd_client::Client| {
            let txn = txn.clone();
            async move { client.txn(txn).await }
        };
        let answer = self.members.write(send).await.map_err(Trouble::of_write)?;
        if answer.succeeded() {
            return Ok(());
        }
        match (seen(&answer), &want) {
            (None, None) => Ok(()),
            (Some(there), Some(value))
                if there.raw == value.value.as_bytes() && there.lease == cell.lease =>
            {
                Ok(())
            }
            _ => Err(Fault::Moved(format!("{} is not as it was seen at revision {expected}", shown(key)))),
        }
    }
}

fn seen(answer: &TxnResponse) -> Option<Found> {
    answer.op_responses().into_iter().find_map(|one| match one {
        TxnOpResponse::Get(get) => found(&get),
        _ => None,
    })
}

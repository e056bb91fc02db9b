//! Of a wide Parquet file only the columns of the model are fetched, by few requests.

use narrows_core::data::Table;
use narrows_core::output::TableWriter;

use crate::folder::{Folder, QUICK};
use crate::proxy::{Proxy, Verdict};
use crate::server::shared;

#[test]
fn of_a_wide_table_two_columns_are_fetched() {
    let Some(moto) = shared() else { return };
    let (bucket, folder) = (moto.bucket("wide"), Folder::new());
    let rows = 150_000;
    let cell = |i: usize, c: usize| ((i * (2 * c + 31)) % 9973) as f64 * 0.123_456_7 + i as f64 * 1e-7;
    let names: Vec<String> = (0..20).map(|c| format!("c{c}")).collect();
    let columns = names.iter().enumerate().map(|(c, name)| (name.as_str(), (0..rows).map(|i| cell(i, c)).collect()));
    let table = Table::from_columns(columns.collect()).unwrap();
    let mut writer = TableWriter::create(folder.path("wide.parquet")).unwrap();
    writer.write(table.batch()).unwrap();
    writer.finish().unwrap();
    let bytes = folder.bytes("wide.parquet");
    bucket.put("wide.parquet", &bytes);
    folder.run(&format!("fit wide.parquet --columns c3,c17 --limit 2000 -o m.narrows {QUICK}")).succeeds();
    folder.run("score m.narrows wide.parquet --threads 2 -o local.parquet").succeeds();
    let proxy = Proxy::before(moto.port, |_, _| Verdict::Pass);
    bucket.run_by(&folder, proxy.port, "score m.narrows BUCKET/wide.parquet --threads 2 -o stored.parquet").succeeds();
    assert!(folder.bytes("stored.parquet") == folder.bytes("local.parquet"));
    let seen = proxy.seen();
    let fetched: usize = seen.iter().map(|seen| seen.answered).sum();
    assert!(fetched < bytes.len() / 7, "{fetched} of {} bytes", bytes.len());
    // The beginning, the footer, and of each of two row groups two columns.
    assert!(seen.len() <= 2 + 2 * 2 && seen.iter().all(|seen| seen.is("GET")), "{seen:#?}");
}

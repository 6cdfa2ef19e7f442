//! `GET /invoices/export`: the merchant's invoices as a file. It is written a page at a time while it is sent, so that its
//! length costs no memory; a page is read when the client has taken the one before.

use std::future::ready;

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use csv::{Terminator, WriterBuilder};
use futures::{StreamExt, stream};
use store::postgres::invoices::{Invoice, InvoiceFilter, Position};
use utoipa::{
    IntoParams,
    openapi::{
        Required,
        path::{Parameter, ParameterBuilder, ParameterIn},
    },
};
use uuid::Uuid;

use super::{
    body::{Amounts, InvoiceBody, time},
    filter,
};
use crate::{
    auth::{Caller, ReadInvoices},
    openapi::schemas,
    params::QueryPairs,
    problem::{Problem, kinds},
    state::Api,
};

/// Invoices of a page.
const PAGE: i64 = 500;

const COLUMNS: [&str; 19] = [
    "invoice_id",
    "external_id",
    "status",
    "exception",
    "coin_id",
    "network_id",
    "amount",
    "seen",
    "confirmed",
    "overpaid",
    "remaining",
    "late",
    "deposit_address",
    "title",
    "created_at",
    "expires_at",
    "updated_at",
    "version",
    "form_id",
];

/// How a spreadsheet begins what it would run.
const FORMULAS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// What the file is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Json,
}

/// What an export is asked for.
#[derive(Debug)]
pub(crate) struct ExportQuery {
    format: Format,
    filter: InvoiceFilter,
}

impl TryFrom<QueryPairs> for ExportQuery {
    type Error = Problem;

    fn try_from(pairs: QueryPairs) -> Result<Self, Problem> {
        let (mut format, mut filter) = (None, InvoiceFilter::default());
        pairs.read(|name, value| {
            if name != "format" {
                return filter::set(&mut filter, name, value);
            }
            format = Some(match value.as_str() {
                "csv" => Format::Csv,
                "json" => Format::Json,
                _ => return Err("is none of its values"),
            });
            Ok(())
        })?;
        let format = format.ok_or_else(|| Problem::with_error(kinds::INVALID_QUERY, "format", "is missing"))?;
        Ok(Self { format, filter })
    }
}

impl IntoParams for ExportQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let format = ParameterBuilder::new().name("format").parameter_in(ParameterIn::Query).required(Required::True);
        let format = format.schema(Some(schemas::export_format())).description(Some("What the file is made of"));
        [format.build()].into_iter().chain(filter::parameters()).collect()
    }
}

/// Export invoices
///
/// All of the merchant's invoices that the filter lets through, newest first, as a file: for spreadsheets, or as an array
/// of what the list shows. What a spreadsheet would take for a formula has an apostrophe before it. The connection breaks
/// when the file cannot be written to its end.
#[utoipa::path(
    get, path = "/invoices/export", operation_id = "export_invoices", tag = "invoices",
    security(("api_key" = ["invoices:read"])), params(ExportQuery),
    responses((status = 200, description = "The file", content(
        (String = "text/csv", example = json!("invoice_id,external_id,status\r\n")),
        (Vec<InvoiceBody> = "application/json", example = json!([])),
    ), headers(("Content-Disposition" = String, description = "`attachment`, with a name for the file")))),
)]
pub(crate) async fn export(
    State(api): State<Api>,
    caller: Caller<ReadInvoices>,
    pairs: QueryPairs,
) -> Result<Response, Problem> {
    let ExportQuery { format, filter } = ExportQuery::try_from(pairs)?;
    let mut file = File { api, merchant: caller.who, filter, format, place: Place::Beginning };
    // What goes wrong now can still be told.
    let beginning = file.next_part().await?.unwrap_or_default();
    let rest = stream::try_unfold(file, File::go_on);
    let head = match format {
        Format::Csv => ["text/csv; charset=utf-8", "attachment; filename=\"invoices.csv\""],
        Format::Json => ["application/json", "attachment; filename=\"invoices.json\""],
    };
    let head = [(header::CONTENT_TYPE, head[0]), (header::CONTENT_DISPOSITION, head[1])];
    let body = Body::from_stream(stream::once(ready(Ok(beginning))).chain(rest));
    Ok((head, body).into_response())
}

/// A file that is being written.
struct File {
    api: Api,
    merchant: Uuid,
    filter: InvoiceFilter,
    format: Format,
    place: Place,
}

/// How far a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Beginning,
    After(Position),
    End,
}

impl File {
    /// The next part with the rest of the file, for a stream. An error breaks the connection.
    async fn go_on(mut self) -> Result<Option<(Bytes, Self)>, &'static str> {
        match self.next_part().await {
            Ok(part) => Ok(part.map(|part| (part, self))),
            Err(problem) => {
                tracing::warn!(merchant = %self.merchant, ?problem, "api.export.broken_off");
                Err("the export cannot go on")
            }
        }
    }

    /// The next part; nothing after the last one. A part is never empty: the last page may be, and then it ends the file.
    async fn next_part(&mut self) -> Result<Option<Bytes>, Problem> {
        let after = match self.place {
            Place::Beginning => None,
            Place::After(position) => Some(position),
            Place::End => return Ok(None),
        };
        let page = self.api.database.list_invoices(self.merchant, &self.filter, after, PAGE).await?;
        let full = i64::try_from(page.len()).is_ok_and(|invoices| invoices == PAGE);
        let last = page.last().filter(|_| full);
        let next = last.map_or(Place::End, |invoice| {
            Place::After(Position { created_at: invoice.created_at, invoice_id: invoice.invoice_id })
        });
        let (first, last) = (self.place == Place::Beginning, next == Place::End);
        self.place = next;
        let part = match self.format {
            Format::Csv => csv_part(&page, first)?,
            Format::Json => json_part(&page, first, last)?,
        };
        Ok(Some(Bytes::from(part)).filter(|part| !part.is_empty()))
    }
}

fn csv_part(page: &[Invoice], first: bool) -> Result<Vec<u8>, Problem> {
    let mut part = Vec::new();
    let mut rows = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(&mut part);
    if first {
        rows.write_record(COLUMNS).map_err(Problem::unforeseen)?;
    }
    for invoice in page {
        rows.write_record(row(invoice)).map_err(Problem::unforeseen)?;
    }
    rows.flush().map_err(Problem::unforeseen)?;
    drop(rows);
    Ok(part)
}

fn row(invoice: &Invoice) -> [String; COLUMNS.len()] {
    let Amounts { due, seen, confirmed, overpaid, remaining, late } = Amounts::of(invoice);
    [
        invoice.invoice_id.to_string(),
        text(invoice.external_id.as_deref().unwrap_or_default()),
        invoice.status.as_str().to_owned(),
        invoice.exception.as_str().to_owned(),
        text(&invoice.coin_id),
        text(&invoice.network_id),
        due,
        seen,
        confirmed,
        overpaid,
        remaining,
        late,
        text(&invoice.deposit_address),
        text(&invoice.title),
        time(invoice.created_at),
        time(invoice.expires_at),
        time(invoice.updated_at),
        invoice.version.to_string(),
        invoice.form_id.map(|form_id| form_id.to_string()).unwrap_or_default(),
    ]
}

/// A text that no spreadsheet takes for a formula.
fn text(text: &str) -> String {
    let guard = if text.starts_with(FORMULAS) { "'" } else { "" };
    [guard, text].concat()
}

/// A part of an array: what stands around and between the items is written with them.
fn json_part(page: &[Invoice], first: bool, last: bool) -> Result<Vec<u8>, Problem> {
    let mut part = Vec::new();
    for (index, invoice) in page.iter().enumerate() {
        part.extend_from_slice(if first && index == 0 { b"[" } else { b"," });
        serde_json::to_writer(&mut part, &InvoiceBody::from(invoice)).map_err(Problem::unforeseen)?;
    }
    if first && page.is_empty() {
        part.push(b'[');
    }
    if last {
        part.push(b']');
    }
    Ok(part)
}

#[cfg(test)]
mod tests {
    use csv::ReaderBuilder;
    use serde_json::Value;

    use super::*;
    use crate::invoices::body::tests::invoice;

    fn asked(pairs: &[(&str, &str)]) -> Result<ExportQuery, Problem> {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        QueryPairs(pairs).try_into()
    }

    #[test]
    fn an_export_has_the_filters_of_the_list_and_no_pages() {
        assert_eq!(asked(&[("format", "csv")]).unwrap().format, Format::Csv);
        let query = asked(&[("format", "json"), ("coin_id", "btc")]).unwrap();
        assert_eq!((query.format, query.filter.coin_id.as_deref()), (Format::Json, Some("btc")));
        assert!(format!("{:?}", asked(&[]).unwrap_err()).contains("field: \"format\""));
        for (name, value) in [("format", "xml"), ("format", "CSV"), ("limit", "1"), ("cursor", "x"), ("status", "done")]
        {
            let refused = format!("{:?}", asked(&[(name, value)]).unwrap_err());
            assert!(refused.contains(&format!("field: {name:?}")), "{name}={value}: {refused}");
        }
    }

    #[test]
    fn a_row_has_the_columns_of_the_api() {
        let paid = Invoice { seen: 13_000_000.into(), confirmed: 5_000_000.into(), late: 1.into(), ..invoice() };
        let file = String::from_utf8(csv_part(&[paid], true).unwrap()).unwrap();
        let at = "2026-01-01T00:00:00.120Z";
        let expected = format!(
            "{}\r\n00000000-0000-0000-0000-000000000001,,waiting_for_deposit,none,usdt,tron,12.5,13,5,0,0,0.000001,T1,,\
             {at},{at},{at},1,\r\n",
            COLUMNS.join(",")
        );
        assert_eq!(file, expected);
    }

    #[test]
    fn a_cell_survives_whatever_is_in_it() {
        for title in ["a,b", "\"quoted\"", "'", " spaced ", "caffè €1", "a=1+1"] {
            assert_eq!(read_back(title), title);
        }
        for formula in ["=1+1", "+1", "-1", "@A1", "=HYPERLINK(\"http://evil\",\"x\")", "\t=1", "\r=1"] {
            assert_eq!(read_back(formula), format!("'{formula}"));
        }
    }

    fn read_back(title: &str) -> String {
        let file = csv_part(&[Invoice { title: title.to_owned(), ..invoice() }], true).unwrap();
        let mut rows = ReaderBuilder::new().from_reader(file.as_slice());
        rows.records().next().unwrap().unwrap()[13].to_owned()
    }

    #[test]
    fn parts_are_one_array_together() {
        let page = [invoice(), invoice()];
        let whole = |parts: &[Vec<u8>]| serde_json::from_slice::<Vec<Value>>(&parts.concat()).unwrap().len();
        assert_eq!(whole(&[json_part(&[], true, true).unwrap()]), 0);
        assert_eq!(whole(&[json_part(&page, true, true).unwrap()]), 2);
        assert_eq!(whole(&[json_part(&page, true, false).unwrap(), json_part(&page, false, true).unwrap()]), 4);
        assert_eq!(whole(&[json_part(&page, true, false).unwrap(), json_part(&[], false, true).unwrap()]), 2);
    }

    #[test]
    fn a_file_without_invoices_has_its_header_once() {
        assert!(csv_part(&[], true).unwrap().starts_with(b"invoice_id,external_id,"));
        assert!(csv_part(&[], false).unwrap().is_empty());
    }
}

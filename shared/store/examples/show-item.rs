//! Prints an item of the table readably: pipe in what `aws dynamodb get-item` prints.
//!
//!     aws dynamodb get-item --table-name T --key '{"pk":{"S":"P#anna"},"sk":{"S":"S"}}' |
//!         cargo run -p store --example show-item

use std::collections::HashMap;
use std::io::stdin;
use std::process::ExitCode;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

fn main() -> ExitCode {
    match shown() {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn shown() -> Result<String, String> {
    let document: Value = serde_json::from_reader(stdin()).map_err(|error| error.to_string())?;
    let item = document.get("Item").unwrap_or(&document);
    let item = item.as_object().ok_or("an item is a JSON object")?;
    let attributes = item.iter().map(|(name, value)| Ok((name.clone(), attribute(value)?)));
    let attributes = attributes.collect::<Result<HashMap<_, _>, String>>()?;
    store::show(&attributes).map_err(|error| error.to_string())
}

fn attribute(value: &Value) -> Result<AttributeValue, String> {
    let text = |kind: &str| value.get(kind).and_then(Value::as_str);
    if let Some(text) = text("S") {
        return Ok(AttributeValue::S(text.to_owned()));
    }
    if let Some(number) = text("N") {
        return Ok(AttributeValue::N(number.to_owned()));
    }
    let binary = text("B").ok_or("attributes of this table are S, N or B")?;
    let binary = STANDARD.decode(binary).map_err(|error| error.to_string())?;
    Ok(AttributeValue::B(Blob::new(binary)))
}

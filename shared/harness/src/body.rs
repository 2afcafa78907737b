//! Bodies as they came: decoded, inflated, and bounded.

use std::io::Read;

use flate2::read::GzDecoder;

use crate::fault::Fault;

/// Most bytes of a body, before and after inflating. A programme document may be larger.
pub const MAX_BODY: usize = 1_048_576;
/// Most bytes of a programme document after inflating; 80,000 products take about 6 MB.
pub const MAX_DOCUMENT: usize = 33_554_432;

/// Most JSON values of a programme document; 80,000 products have 320,000. Parsed, a value takes up
/// to 640 bytes, and a document of 30 KB can inflate to sixteen million of them.
const MAX_VALUES: usize = 600_000;

/// Inflates a gzip body, but never beyond `most` bytes.
pub fn gunzip(bytes: &[u8], most: usize) -> Result<Vec<u8>, Fault> {
    let mut inflated = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let read = GzDecoder::new(bytes).take(limit).read_to_end(&mut inflated);
    let malformed = |_| wire::fault::BodyFault::Malformed("the body is not gzip".to_owned());
    read.map_err(malformed)?;
    bounded(inflated, most)
}

/// Refuses what is over the limit.
pub fn bounded(bytes: Vec<u8>, most: usize) -> Result<Vec<u8>, Fault> {
    if bytes.len() > most { Err(Fault::TooLarge) } else { Ok(bytes) }
}

/// Refuses a document of too many values, before any of them is made.
pub fn few_values(document: Vec<u8>) -> Result<Vec<u8>, Fault> {
    // Each but the first follows one of these; in texts they are counted, too.
    let values = document.iter().filter(|byte| matches!(byte, b'[' | b'{' | b',')).count();
    if values > MAX_VALUES { Err(Fault::TooLarge) } else { Ok(document) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_bomb_is_not_inflated() {
        let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        bomb.write_all(&vec![b' '; 5_000_000]).unwrap();
        let bomb = bomb.finish().unwrap();
        assert!(bomb.len() < 10_000);
        assert!(matches!(gunzip(&bomb, MAX_BODY), Err(Fault::TooLarge)));
        assert!(matches!(gunzip(b"{}", MAX_BODY), Err(Fault::Body(_))));
    }

    #[test]
    fn a_document_of_millions_of_values_is_not_parsed() {
        let many = [b"[0".as_slice(), &b",0".repeat(MAX_VALUES)].concat();
        assert!(matches!(few_values(many), Err(Fault::TooLarge)));
        let nested = b"[]".repeat(MAX_VALUES + 1);
        assert!(matches!(few_values(nested), Err(Fault::TooLarge)));
        let products = b"{\"product\":\"a\",\"category\":\"b\",\"brand\":\"c\"},".repeat(80_000);
        assert!(few_values(products).is_ok());
    }
}

//! Every requirement that is done has a test that names it.

use super::{read, rust};

/// The rows that are done.
const DONE: [u32; 76] = [
    1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 20, 21, 22, 30, 31, 32, 33, 34, 35, 40, 41,
    42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 56, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69,
    70, 71, 72, 73, 74, 75, 76, 77, 78, 80, 81, 82, 83, 84, 85, 86, 87, 90, 91, 92, 93, 94, 95, 96,
    97, 105,
];

#[test]
fn every_row_that_is_done_has_a_test_that_names_it() {
    let mut texts: Vec<String> = Vec::new();
    for folder in ["functions", "shared", "infra/local", "tests"] {
        for path in rust(folder).iter().filter(|path| !path.ends_with("tidy/rows.rs")) {
            let (name, text) = read(path);
            let of_tests = match name.contains("/tests/") || name.starts_with("tests/scenarios") {
                true => Some(text.as_str()),
                false => text.split_once("#[cfg(test)]").map(|(_, tests)| tests),
            };
            texts.extend(of_tests.map(str::to_owned));
        }
    }
    let named = |row: &u32| {
        let (sign, start) = (format!("R-{row}"), format!("fn r{row}_"));
        let ends = |after: &str| !after.starts_with(|c: char| c.is_ascii_digit());
        texts.iter().any(|text| {
            text.contains(&start)
                || text.match_indices(&sign).any(|(at, _)| ends(&text[at + sign.len()..]))
        })
    };
    let missing: Vec<&u32> = DONE.iter().filter(|row| !named(row)).collect();
    assert!(missing.is_empty(), "no test names R-{missing:?}");
}

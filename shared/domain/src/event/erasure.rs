//! What of an event is personal, and goes when its participant is erased.

use crate::event::{Detail, Event};

impl Event {
    /// Removes what is personal: the profile on a social network, what follows the host of a web
    /// address, and what was kept of the identifier of a payment medium. Answers whether there was
    /// any. What an event counted for stays as it is, and so does its payload's hash: a repeat is
    /// known as one.
    pub fn erase(&mut self) -> bool {
        let before = self.detail.clone();
        let medium = match &mut self.detail {
            Detail::Purchase(purchase) => purchase.payment_medium.as_mut(),
            Detail::FinancialAchievement(achieved) => achieved.payment_medium.as_mut(),
            Detail::SocialMedia { profile, .. } => {
                *profile = Box::default();
                None
            }
            Detail::Web { url, .. } => {
                *url = origin(url).into();
                None
            }
            Detail::Referral { .. }
            | Detail::Achievement { .. }
            | Detail::FinancialStatement(_)
            | Detail::SpendRequest(_) => None,
        };
        if let Some(medium) = medium {
            medium.identifier = None;
        }
        self.detail != before
    }
}

/// Scheme and host of a web address, which is parsed as one at the edge.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..].find(['/', '?', '#']).map_or(url.len(), |at| host + at);
    &url[..end]
}

#[cfg(test)]
mod tests {
    use super::origin;

    #[test]
    fn r92_of_a_web_address_the_host_is_left() {
        let cases = [
            ("https://example.org/ada?mail=a@b.c", "https://example.org"),
            ("https://example.org?ada", "https://example.org"),
            ("https://example.org#ada", "https://example.org"),
            ("http://example.org:8080", "http://example.org:8080"),
        ];
        for (url, want) in cases {
            assert_eq!(origin(url), want);
        }
    }
}

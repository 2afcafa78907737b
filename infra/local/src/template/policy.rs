//! What a function may do: the grants of its policy, and which of them were ever used.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, bail};

use super::properties::PolicyDocument;

/// One action on one resource pattern.
#[derive(Debug)]
pub struct Grant {
    pub action: String,
    pub resource: String,
    used: AtomicBool,
}

/// All grants of one function.
#[derive(Debug, Default)]
pub struct Policy {
    grants: Vec<Grant>,
}

impl Policy {
    /// The grants that `documents` spell out; a form that cannot be enforced is refused.
    pub fn read(path: &str, documents: &[PolicyDocument]) -> Result<Self> {
        let mut grants = Vec::new();
        for statement in documents.iter().flat_map(|document| &document.statement) {
            if statement.effect != "Allow" {
                bail!("{path}.Policies: the local stack only knows the effect Allow");
            }
            for action in statement.action.list() {
                if action.contains('*') {
                    bail!("{path}.Policies: {action} grants more than can be named");
                }
                grants.extend(statement.resource.list().iter().map(|resource| Grant {
                    action: action.clone(),
                    resource: resource.clone(),
                    used: AtomicBool::new(false),
                }));
            }
        }
        Ok(Self { grants })
    }

    /// Whether `action` on `resource` is granted; a grant that says so counts as used.
    pub fn allows(&self, action: &str, resource: &str) -> bool {
        let granted = |g: &&Grant| g.action == action && matches(&g.resource, resource);
        match self.grants.iter().find(granted) {
            Some(grant) => {
                grant.used.store(true, Ordering::Relaxed);
                true
            }
            None => false,
        }
    }

    /// Grants that nothing has needed so far, as `action resource`.
    pub fn unused(&self) -> Vec<String> {
        let unused = self.grants.iter().filter(|grant| !grant.used.load(Ordering::Relaxed));
        unused.map(|grant| format!("{} {}", grant.action, grant.resource)).collect()
    }
}

/// IAM's pattern: `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices().any(|(i, _)| matches(after, &rest[i..])) || matches(after, "")
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(action: &str, resource: &str) -> Policy {
        let document = serde_json::json!([{"Statement": [
            {"Effect": "Allow", "Action": action, "Resource": [resource, "other"]}]}]);
        Policy::read("F", &serde_json::from_value::<Vec<_>>(document).unwrap()).unwrap()
    }

    #[test]
    fn only_what_is_granted_is_allowed() {
        let policy = policy("s3:PutObject", "arn:b/files/*");
        assert!(policy.allows("s3:PutObject", "arn:b/files/a/b.csv"));
        assert!(!policy.allows("s3:GetObject", "arn:b/files/a"));
        assert!(!policy.allows("s3:PutObject", "arn:b/else/a"));
        assert_eq!(policy.unused(), ["s3:PutObject other"]);
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in
            [("a*c", "abc", true), ("a*", "a", true), ("a*c", "ab", false), ("*", "ü", true)]
        {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}

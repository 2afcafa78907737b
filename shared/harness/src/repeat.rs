//! What a key was answered before, where its body is no longer one that the programme takes.

use store::{Done, Error};
use wire::fault::BodyFault;

use crate::fault::Fault;
use crate::http::Request;

/// What a key led to before; else what is wrong with the body. A refusal does not say at
/// whose unit it was, so a merchant's token is told what is wrong.
///
/// # Errors
/// The refusal that the key led to, the body's fault, or a failure.
pub fn recalled<A>(
    request: &Request,
    known: store::Result<Option<Done<A>>>,
    wrong: BodyFault,
) -> Result<Done<A>, Fault> {
    match known {
        Ok(Some(done)) => Ok(done),
        Ok(None) | Err(Error::NotFound(_) | Error::KeyReused | Error::KeyInFuture) => {
            Err(wrong.into())
        }
        Err(Error::Refused(_)) if request.is_merchant() => Err(wrong.into()),
        Err(
            answer @ (Error::Refused(_)
            | Error::Contended
            | Error::Unavailable(_)
            | Error::Corrupt(_)),
        ) => Err(answer.into()),
    }
}

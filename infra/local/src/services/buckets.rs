//! The buckets: a folder each, behind a service that checks signatures and counts calls.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{SecretKey, SimpleAuth};
use s3s::path::S3Path;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, S3Result, s3_error};
use s3s_fs::FileSystem;

use crate::callers::Callers;

/// All buckets.
#[derive(Clone)]
pub struct Buckets {
    service: S3Service,
}

impl Buckets {
    /// Makes the buckets that are missing, as folders in `folder`.
    pub fn open(folder: &Path, buckets: &[String], callers: Arc<Callers>) -> Result<Self> {
        for bucket in buckets {
            let path = folder.join(bucket);
            std::fs::create_dir_all(&path).with_context(|| format!("bucket {bucket}"))?;
        }
        std::fs::create_dir_all(folder)?;
        let files = FileSystem::new(folder);
        let files = files.map_err(|error| anyhow!("the buckets cannot be opened: {error:?}"))?;
        let mut auth = SimpleAuth::new();
        for caller in callers.all() {
            auth.register(caller.key_id.clone(), SecretKey::from(caller.secret.as_str()));
        }
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(auth);
        builder.set_access(Access { callers });
        Ok(Self { service: builder.build() })
    }

    /// Answers one call.
    pub async fn handle(&self, request: Request<Incoming>) -> Response<Body> {
        self.service.call(request.map(Body::from)).await.unwrap_or_else(|error| {
            let mut answer = Response::new(Body::from(format!("{error:?}")));
            *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            answer
        })
    }
}

struct Access {
    callers: Arc<Callers>,
}

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let credentials = cx.credentials();
        let caller = credentials.and_then(|known| self.callers.by_key(&known.access_key));
        let Some(caller) = caller else {
            return Err(s3_error!(AccessDenied, "Signature is required"));
        };
        let resource = match cx.s3_path() {
            S3Path::Root => "*".to_owned(),
            S3Path::Bucket { bucket } => format!("arn:aws:s3:::{bucket}"),
            S3Path::Object { bucket, key } => format!("arn:aws:s3:::{bucket}/{key}"),
        };
        let action = cx.s3_op().name();
        let permission = match action {
            "CompleteMultipartUpload" | "CreateMultipartUpload" | "UploadPart" => "PutObject",
            "HeadObject" => "GetObject",
            "HeadBucket" | "ListObjects" | "ListObjectsV2" => "ListBucket",
            other => other,
        };
        caller
            .may(action, &[(&format!("s3:{permission}"), resource)])
            .map_err(|message| s3_error!(AccessDenied, "{message}"))
    }
}

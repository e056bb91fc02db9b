//! Models by API: files that are uploaded and deleted, models that are loaded anew and unloaded.
//!
//! Only for callers with a key, and files only in the folder that was named for it. A name is checked before it becomes
//! that of a file; a file is loaded before it is put there, complete or not at all.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use axum::extract::{Path as PathOf, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::app::{App, PathParams, SharedApp};
use crate::protocol::{aside, reply};
use crate::refusal::Refusal;
use crate::store::{EXTENSION, ModelStore};

/// Longest name of a model, in bytes.
const LONGEST_NAME: usize = 64;

/// What changes models needs a key, also where nothing else does.
fn check_keys(app: &App) -> Result<(), Refusal> {
    if app.keys.is_some() {
        return Ok(());
    }
    let message =
        "models can be changed only if the server was started with API keys, got none; start it with a file of keys";
    Err(Refusal::new(StatusCode::FORBIDDEN, message))
}

/// A name that is safe as that of a file, everywhere.
fn checked(name: &str) -> Result<&str, Refusal> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if begins
        && name.len() <= LONGEST_NAME
        && name.chars().all(is_plain)
        && !name.ends_with('.')
        && !name.ends_with(&format!(".{EXTENSION}"))
    {
        return Ok(name);
    }
    let message = "the name of a model: expected a letter or digit, and then letters, digits, `_`, `-` and `.`, without the extension of a file";
    Err(Refusal::bad(format!("{message}, {LONGEST_NAME} at most, got {name:?}")))
}

fn name_in(path: &std::collections::HashMap<String, String>) -> &str {
    path.get("model").map_or("", String::as_str)
}

/// Takes a model file.
pub(crate) async fn upload(
    State(app): SharedApp,
    PathOf(path): PathParams,
    request: Request,
) -> Result<Response, Refusal> {
    check_keys(&app)?;
    let folder = app.uploads.folder()?.to_path_buf();
    let name = checked(name_in(&path))?.to_owned();
    let received = app.receive(request).await?;
    received.query(&[])?;
    let _turn = app.uploads.turn.lock().await;
    let (bytes, work_app) = (received.bytes.clone(), Arc::clone(&app));
    let (model, is_new) = aside(move || {
        let place = folder.join(format!("{name}.{EXTENSION}"));
        let store = &work_app.store;
        check_place(store, &name, &place)?;
        // The file is loaded as any other: what is damaged or truncated is refused here.
        let model = store.loaded_of(&name, &bytes)?;
        put(&folder, &place, &bytes)?;
        let is_new = store.place(&name, &place, Arc::clone(&model));
        let (event, version) = ("uploaded", model.version.clone());
        work_app.log.line(&json!({"level": "info", "event": event, "model": name, "version": version}));
        work_app.metrics.models(store);
        Ok::<_, Refusal>((model, is_new))
    })
    .await??;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(reply(status, &json!({"name": model.name, "version": model.version, "kind": model.kind()})))
}

/// An error if a model of this name comes from another place.
fn check_place(store: &ModelStore, name: &str, place: &Path) -> Result<(), Refusal> {
    match store.file_of(name) {
        Some(file) if file != place => {
            let message = format!("model `{name}`: expected one from the folder for uploads, got one from elsewhere");
            Err(Refusal::new(
                StatusCode::CONFLICT,
                format!("{message}; models from elsewhere are changed where they come from"),
            ))
        }
        _ => Ok(()),
    }
}

/// Writes a file beside its place and renames it.
fn put(folder: &Path, place: &Path, bytes: &[u8]) -> Result<(), Refusal> {
    let attempt = || {
        // Hidden, so that nobody takes it for a model.
        let mut draft = tempfile::Builder::new().prefix(".upload-").tempfile_in(folder)?;
        draft.write_all(bytes)?;
        draft.as_file().sync_all()?;
        draft.persist(place).map_err(|error| error.error)?;
        Ok(())
    };
    attempt().map_err(|error: std::io::Error| {
        let message = format!("the folder for uploads: expected a file to be written, got an error: {}", error.kind());
        Refusal::new(StatusCode::INSUFFICIENT_STORAGE, message)
    })
}

/// Deletes a file that was uploaded.
pub(crate) async fn delete(State(app): SharedApp, PathOf(path): PathParams) -> Result<Response, Refusal> {
    check_keys(&app)?;
    let folder = app.uploads.folder()?.to_path_buf();
    let name = checked(name_in(&path))?.to_owned();
    let _turn = app.uploads.turn.lock().await;
    let work_app = Arc::clone(&app);
    aside(move || {
        let place = folder.join(format!("{name}.{EXTENSION}"));
        let store = &work_app.store;
        check_place(store, &name, &place)?;
        match fs::remove_file(&place) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                // Says what is there.
                store.get(&name, None)?;
                return Err(Refusal::unknown(format!("model `{name}`: expected its file, got none")));
            }
            Err(error) => {
                let message =
                    format!("model `{name}`: expected its file to be deleted, got an error: {}", error.kind());
                return Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, message));
            }
        }
        store.take(&name);
        work_app.log.line(&json!({"level": "info", "event": "deleted", "model": name}));
        work_app.metrics.models(store);
        Ok(reply(StatusCode::OK, &json!({"name": name, "deleted": true})))
    })
    .await?
}

/// Loads the file of a model again, now.
pub(crate) async fn load(
    State(app): SharedApp,
    PathOf(path): PathParams,
    request: Request,
) -> Result<Response, Refusal> {
    check_keys(&app)?;
    // Its parameters are those of other servers.
    app.receive(request).await?;
    let name = name_in(&path).to_owned();
    let _turn = app.uploads.turn.lock().await;
    let work_app = Arc::clone(&app);
    aside(move || {
        let store = &work_app.store;
        let lines = store.reload(&name);
        lines.iter().for_each(|line| work_app.log.line(line));
        work_app.metrics.models(store);
        if let Some(failure) = store.listed().into_iter().find(|listed| listed.name == name && listed.failure.is_some())
        {
            return Err(Refusal::bad(format!("model `{name}`: {}", failure.reason())));
        }
        let model = store.get(&name, None)?;
        Ok(reply(StatusCode::OK, &json!({"name": model.name, "version": model.version, "kind": model.kind()})))
    })
    .await?
}

/// Serves a model no more, until it is loaded again; its file stays.
pub(crate) async fn unload(
    State(app): SharedApp,
    PathOf(path): PathParams,
    request: Request,
) -> Result<Response, Refusal> {
    check_keys(&app)?;
    app.receive(request).await?;
    let model = app.store.get(name_in(&path), None)?;
    let _turn = app.uploads.turn.lock().await;
    app.store.unload(&model.name);
    app.log.line(&json!({"level": "info", "event": "unloaded", "model": model.name}));
    app.metrics.models(&app.store);
    Ok(reply(StatusCode::OK, &json!({"name": model.name, "unloaded": true})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_become_files() {
        for name in ["m", "a-b_c.2", "7", &"x".repeat(64)] {
            assert_eq!(checked(name), Ok(name));
        }
        for name in ["", ".m", "..", "a/b", "a\\b", "a b", "m.", "é", "-m", "a\0", "c:m", &"x".repeat(65)] {
            assert!(checked(name).is_err(), "{name}");
        }
    }
}

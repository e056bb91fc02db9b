//! The OpenAPI 3.1 document, made from the list of routes.

use serde_json::{Map, Value, json};

use crate::answer::AnswerForm;
use crate::protocol::VERSION;
use crate::rows_in::BodyForm;
use crate::streams::LONGEST_ID;
use crate::values::Datatype;

/// What a route is documented by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RouteDoc {
    pub(crate) path: &'static str,
    /// In lower case.
    pub(crate) method: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) body: BodyDoc,
}

/// What a route takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyDoc {
    None,
    /// A request of the Open Inference Protocol.
    Tensors,
    /// Rows or an image in a file format.
    Rows,
    /// Rows or an image in a file format, for a page.
    Shown,
    /// A request of MLflow.
    Invocation,
    /// Anything.
    Filter,
    /// Nothing that matters.
    Command,
    /// A model file.
    File,
    /// Rows or an image, which come back changed.
    Change,
    /// Rows as they come, and scores as they come.
    Lines,
}

/// The document of these routes, for models of these names.
pub(crate) fn document(routes: &[RouteDoc], models: &[String]) -> Value {
    let mut paths = Map::new();
    for route in routes {
        let is_only = routes.iter().filter(|other| other.path == route.path).count() == 1;
        let mut operation = operation(route, models);
        if !is_only && let Some(id) = operation["operationId"].as_str() {
            operation["operationId"] = json!(format!("{}_{id}", route.method));
        }
        let methods = paths.entry(route.path).or_insert_with(|| json!({}));
        methods[route.method] = operation;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Narrows",
            "version": VERSION,
            "description": "Anomaly scores by autoencoders. The paths under /v2 follow the Open Inference Protocol; \
                            score and explain extend it.",
            "license": {"name": "MIT OR Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
        // Keys are needed only if the server has some.
        "security": [{}, {"bearer": []}, {"key": []}],
    })
}

fn operation(route: &RouteDoc, models: &[String]) -> Value {
    let model = json!({"type": "string", "enum": models});
    let path_parameter = |name: &str, schema: Value| {
        let is_there = route.path.contains(&format!("{{{name}}}"));
        is_there.then(|| json!({"name": name, "in": "path", "required": true, "schema": schema}))
    };
    let named = if route.body == BodyDoc::File { json!({"type": "string", "maxLength": 64}) } else { model.clone() };
    let mut parameters: Vec<Value> = path_parameter("model", named).into_iter().collect();
    parameters.extend(path_parameter("version", json!({"type": "string"})));
    parameters.extend(path_parameter("id", json!({"type": "string", "minLength": 1, "maxLength": LONGEST_ID})));
    let query = |name: &str, schema: Value, description: &str| json!({"name": name, "in": "query", "schema": schema, "description": description});
    match route.body {
        BodyDoc::Rows | BodyDoc::Lines => parameters.push(query(
            "explain",
            json!({"type": "integer", "minimum": 0, "maximum": 1000}),
            "Number of reasons of each row",
        )),
        BodyDoc::Shown => {
            let text = || json!({"type": "string"});
            parameters.push(query("name", text(), "The name of the file"));
            parameters.push(query("label", text(), "The column whose value distinguishes normal rows, for metrics"));
            parameters.push(query("normal", text(), "That value in normal rows"));
        }
        BodyDoc::Invocation if !route.path.contains("{model}") => {
            parameters.push(query("model", model, "The model, if there are several"));
        }
        _ => {}
    }
    let id: String =
        route.path.split(['/', '{', '}', '.', ':']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("_");
    let mut operation = json!({
        "operationId": id,
        "summary": route.summary,
        "parameters": parameters,
        "responses": responses(route),
    });
    if let Some(content) = content(route.body) {
        // A stream may begin without a row.
        let is_required = !matches!(route.body, BodyDoc::Filter | BodyDoc::Command | BodyDoc::Lines);
        operation["requestBody"] = json!({"required": is_required, "content": content});
        if matches!(route.body, BodyDoc::Rows | BodyDoc::Lines) {
            let description = "GET /v2/models/{model}/schema has the JSON Schema of a row of each model.";
            operation["requestBody"]["description"] = json!(description);
        }
    }
    operation
}

/// The media types of a body with their schemas.
fn content(body: BodyDoc) -> Option<Value> {
    let any = json!({});
    Some(match body {
        BodyDoc::None => return None,
        BodyDoc::Tensors => json!({
            "application/json": {"schema": {"$ref": "#/components/schemas/InferenceRequest"}},
            "application/octet-stream": any,
        }),
        BodyDoc::Rows | BodyDoc::Change | BodyDoc::Shown => {
            BodyForm::listed().into_iter().map(|name| (name.to_owned(), any.clone())).collect::<Map<_, _>>().into()
        }
        BodyDoc::Invocation => json!({
            "application/json": {"schema": {"$ref": "#/components/schemas/Invocation"}},
            "text/csv": any,
        }),
        BodyDoc::Filter => json!({"application/json": {"schema": {
            "type": ["object", "null"], "properties": {"ready": {"type": ["boolean", "null"]}},
        }}}),
        BodyDoc::Command => json!({"application/json": any}),
        BodyDoc::File => json!({"application/octet-stream": any}),
        BodyDoc::Lines => json!({"application/x-ndjson": any}),
    })
}

fn responses(route: &RouteDoc) -> Value {
    let refused = |description: &str| {
        json!({
            "description": description,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}},
        })
    };
    let json_of = |schema: Value| json!({"application/json": {"schema": schema}});
    let answer = match route.body {
        BodyDoc::Tensors => json_of(json!({"$ref": "#/components/schemas/InferenceResponse"})),
        BodyDoc::Rows => AnswerForm::ALL
            .iter()
            .map(|form| {
                let schema = match form {
                    AnswerForm::Json => json!({"schema": {"$ref": "#/components/schemas/ScoredRows"}}),
                    _ => json!({}),
                };
                (form.content_type().to_owned(), schema)
            })
            .collect::<Map<_, _>>()
            .into(),
        BodyDoc::Change => {
            let forms = AnswerForm::ALL.iter().map(|form| form.content_type());
            forms
                .chain(["image/png", "image/jpeg"])
                .map(|name| (name.to_owned(), json!({})))
                .collect::<Map<_, _>>()
                .into()
        }
        BodyDoc::Invocation => {
            let rows = json!({"type": "array", "items": {"$ref": "#/components/schemas/ScoredRow"}});
            json_of(json!({"type": "object", "properties": {"predictions": rows}}))
        }
        BodyDoc::Filter => json_of(json!({"type": "array"})),
        BodyDoc::Shown => json_of(json!({"type": "object"})),
        BodyDoc::Lines => json!({"application/x-ndjson": {}}),
        BodyDoc::None if route.path.ends_with("/schema") => json!({"application/schema+json": {}}),
        BodyDoc::None if route.path == "/metrics" => json!({"application/openmetrics-text": {}}),
        BodyDoc::None | BodyDoc::Command | BodyDoc::File => json_of(json!({"type": "object"})),
    };
    let mut responses = json!({
        "200": {"description": "as asked", "content": answer},
        "401": refused("no key that is known"),
        "421": refused("a name in Host that is not one of the server's"),
    });
    if route.path.contains('{') {
        responses["400"] = refused("a path that is not UTF-8, or a model that has no such thing");
        responses["404"] = refused("no such model");
    }
    if route.path.starts_with("/v2/repository/models") {
        responses["403"] = refused("the server was started without keys, or without a folder for uploads");
        responses["409"] = refused("a model of this name that was not uploaded");
    }
    if route.body == BodyDoc::File {
        responses["201"] = json!({"description": "a new model", "content": json_of(json!({"type": "object"}))});
        responses["507"] = refused("the file cannot be written");
    }
    if route.body == BodyDoc::None {
        if ["/ping", "/health", "/v2/health/ready"].contains(&route.path) {
            responses["503"] = json!({"description": "not ready"});
        }
        return responses;
    }
    let codes = [
        ("400", "the caller's mistake"),
        ("404", "no such model"),
        ("406", "no answer of the types accepted"),
        ("408", "the body did not arrive in time"),
        ("413", "a body or rows beyond the limits"),
        ("415", "a body of another type"),
        ("503", "no room or no time at present: try again after Retry-After"),
    ];
    for (code, description) in codes {
        responses[code] = refused(description);
    }
    if route.body == BodyDoc::Lines {
        responses["409"] = refused("another request writes to the stream");
    }
    responses
}

fn schemas() -> Value {
    let number = json!({"type": ["number", "null"]});
    let text = json!({"type": "string"});
    let datatypes: Vec<&str> = Datatype::ALL.iter().map(|(_, name)| *name).collect();
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let list = |items: Value| json!({"type": "array", "items": items});
    let size = json!({"type": "integer", "minimum": 0});
    let reason = json!({
        "type": "object",
        "properties": {
            "column": text, "expected": text, "got": text, "share": {"type": "number"},
            "direction": {"enum": ["above", "below", "other", "broken"]},
        },
    });
    json!({
        "Refusal": {"type": "object", "required": ["error"], "properties": {"error": text}},
        "Tensor": {
            "type": "object",
            "required": ["name", "datatype", "shape"],
            "properties": {
                "name": text,
                "datatype": {"enum": datatypes},
                "shape": {"type": "array", "items": size, "minItems": 1, "maxItems": 3},
                "parameters": {"type": "object", "properties": {"binary_data_size": size}},
                "data": {"type": "array"},
            },
        },
        "InferenceRequest": {
            "type": "object",
            "required": ["inputs"],
            "properties": {
                "id": text,
                "parameters": {"type": "object"},
                "inputs": {"type": "array", "items": reference("Tensor"), "minItems": 1},
                "outputs": list(json!({"type": "object", "required": ["name"], "properties": {"name": text}})),
            },
        },
        "InferenceResponse": {
            "type": "object",
            "required": ["model_name", "outputs"],
            "properties": {
                "model_name": text, "model_version": text, "id": text,
                "parameters": {"type": "object"},
                "outputs": list(reference("Tensor")),
            },
        },
        "ScoredRow": {
            "type": "object",
            "properties": {
                "row": {"type": "integer"}, "image": text, "score": number, "p_value": number,
                "is_anomaly": {"type": ["boolean", "null"]}, "flag": {"type": ["string", "null"]},
                "reasons": list(reason),
            },
        },
        "ScoredRows": {
            "type": "object",
            "required": ["model_name", "model_version", "rows", "warnings"],
            "properties": {
                "model_name": text, "model_version": text, "warnings": list(text.clone()),
                "rows": list(reference("ScoredRow")),
            },
        },
        "Invocation": {
            "type": "object",
            "anyOf": [
                {"required": ["dataframe_split"]}, {"required": ["dataframe_records"]},
                {"required": ["instances"]}, {"required": ["inputs"]},
            ],
            "properties": {
                "dataframe_split": {"type": "object"},
                "dataframe_records": list(json!({"type": "object"})),
                "instances": {"type": "array"},
                "inputs": {"type": ["object", "array"]},
            },
        },
    })
}

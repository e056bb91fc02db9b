//! Crates as read from their files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::TokenStream;
use syn::{Ident, Item, Visibility};

use crate::paths::{Brought, brought};
use crate::tokens::without_tests;

/// A crate without its tests.
pub struct Crate {
    /// As in its manifest.
    pub name: String,
    /// Its manifest.
    pub manifest: toml::Table,
    /// The root first, a module before its children.
    pub modules: Vec<Module>,
}

/// A module and what it says by itself, its child modules left out.
pub struct Module {
    /// Names from the root, which has none.
    pub path: Vec<String>,
    /// Where it stands.
    pub file: PathBuf,
    /// The place of its parent among the modules; the root is its own.
    pub parent: usize,
    /// Attributes of the file, such as `#![forbid(..)]`.
    pub attributes: Vec<syn::Attribute>,
    /// What it holds, `use` lines included.
    pub items: Vec<Item>,
    /// What a name in it may mean: in Rust a module and a function may share one.
    pub names: BTreeMap<String, Vec<Target>>,
    /// Paths of `use path::*`, and whether they are public.
    pub globs: Vec<(Vec<String>, bool)>,
}

/// What a name in a module means.
#[derive(Clone)]
pub enum Target {
    /// A child.
    Module {
        /// Its place among the modules.
        at: usize,
        /// Whether it is declared `pub`; not for `pub(crate)`.
        public: bool,
    },
    /// Something that is defined here.
    Item {
        /// As of a module.
        public: bool,
    },
    /// Something that is brought here.
    Use {
        /// From where, as written.
        path: Vec<String>,
        /// As of a module.
        public: bool,
    },
}

/// The root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("crates/narrows-house/").to_path_buf()
}

/// A file as it is shown to people: from the workspace's root.
pub fn shown(file: &Path) -> String {
    file.strip_prefix(root()).unwrap_or(file).display().to_string()
}

/// Every crate of the workspace.
pub fn crates() -> Vec<Crate> {
    let mut folders: Vec<_> = fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders.iter().map(|folder| Crate::read(folder)).collect()
}

/// All files under a folder, or the file itself; none where there is nothing.
pub fn files(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(path) else {
        return if path.is_file() { vec![path.to_path_buf()] } else { Vec::new() };
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().flat_map(|path| files(path)).collect()
}

impl Crate {
    /// Reads a crate from its folder. Panics with the file's name where it is not Rust.
    pub fn read(folder: &Path) -> Crate {
        let manifest: toml::Table = fs::read_to_string(folder.join("Cargo.toml")).unwrap().parse().unwrap();
        let name = manifest["package"]["name"].as_str().unwrap().to_owned();
        let src = folder.join("src");
        let file = ["lib.rs", "main.rs"].iter().map(|name| src.join(name)).find(|file| file.is_file()).unwrap();
        let mut found = Crate { name, manifest, modules: Vec::new() };
        found.add_file(Vec::new(), 0, file, &src);
        found
    }

    /// Whether it makes a binary: such a crate is a front end, and may speak of flags.
    pub fn is_binary(&self) -> bool {
        self.modules[0].file.with_file_name("main.rs").is_file()
    }

    /// Whether a module is declared `pub`.
    pub fn is_public(&self, at: usize) -> bool {
        let declared = self.modules[self.modules[at].parent].names.values().flatten();
        declared.into_iter().any(|target| matches!(target, Target::Module { at: child, public: true } if *child == at))
    }

    fn add_file(&mut self, path: Vec<String>, parent: usize, file: PathBuf, folder: &Path) -> usize {
        let text = fs::read_to_string(&file).unwrap();
        let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let parsed: syn::File =
            syn::parse2(without_tests(tokens)).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let at = self.add(path, parent, file, folder, parsed.items);
        self.modules[at].attributes = parsed.attrs;
        at
    }

    /// Adds a module and its children; `folder` is where the files of the children are.
    fn add(&mut self, path: Vec<String>, parent: usize, file: PathBuf, folder: &Path, items: Vec<Item>) -> usize {
        let at = self.modules.len();
        let (names, globs) = (BTreeMap::new(), Vec::new());
        let (attributes, kept) = (Vec::new(), Vec::new());
        self.modules.push(Module { path, file: file.clone(), parent, attributes, items: kept, names, globs });
        for item in items {
            match item {
                Item::Mod(child) => {
                    let name = child.ident.to_string();
                    let mut path = self.modules[at].path.clone();
                    path.push(name.clone());
                    let below = folder.join(&name);
                    let id = match child.content {
                        Some((_, items)) => self.add(path, at, file.clone(), &below, items),
                        None => {
                            let beside = folder.join(format!("{name}.rs"));
                            let file = if beside.is_file() { beside } else { below.join("mod.rs") };
                            self.add_file(path, at, file, &below)
                        }
                    };
                    self.modules[at].define(name, Target::Module { at: id, public: is_public(&child.vis) });
                }
                Item::Use(item) => {
                    self.modules[at].bring(&item);
                    self.modules[at].items.push(Item::Use(item));
                }
                item => {
                    if let Some((name, visibility)) = named(&item) {
                        let public = visibility.is_some_and(is_public);
                        self.modules[at].define(name.to_string(), Target::Item { public });
                    }
                    self.modules[at].items.push(item);
                }
            }
        }
        at
    }
}

impl Module {
    /// As in `a::b`; the root is `lib`.
    pub fn name(&self) -> String {
        if self.path.is_empty() { "lib".into() } else { self.path.join("::") }
    }

    fn define(&mut self, name: String, target: Target) {
        self.names.entry(name).or_default().push(target);
    }

    fn bring(&mut self, item: &syn::ItemUse) {
        let public = is_public(&item.vis);
        let mut names = Vec::new();
        brought(&item.tree, &[], &mut names);
        for Brought { name, path, .. } in names {
            match name {
                Some(name) => self.define(name, Target::Use { path, public }),
                None => self.globs.push((path, public)),
            }
        }
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// The name of an item and who may see it; macros are seen by their `use`.
fn named(item: &Item) -> Option<(&Ident, Option<&Visibility>)> {
    match item {
        Item::Const(item) => Some((&item.ident, Some(&item.vis))),
        Item::Enum(item) => Some((&item.ident, Some(&item.vis))),
        Item::Fn(item) => Some((&item.sig.ident, Some(&item.vis))),
        Item::Macro(item) => item.ident.as_ref().map(|name| (name, None)),
        Item::Static(item) => Some((&item.ident, Some(&item.vis))),
        Item::Struct(item) => Some((&item.ident, Some(&item.vis))),
        Item::Trait(item) => Some((&item.ident, Some(&item.vis))),
        Item::Type(item) => Some((&item.ident, Some(&item.vis))),
        Item::Union(item) => Some((&item.ident, Some(&item.vis))),
        _ => None,
    }
}

//! What of a crate can be reached from outside.

use std::collections::BTreeSet;

use narrows_house::{Crate, End, Target};
use syn::{Fields, ImplItem, Item, TraitItem, Type, Visibility};

/// Names that can be reached from the root by public modules and re-exports; each counts once, however often it is
/// re-exported.
#[derive(Default)]
pub(crate) struct Surface {
    /// Types, traits, functions, constants.
    pub(crate) items: BTreeSet<(usize, String)>,
    /// Re-exports from other crates.
    pub(crate) foreign: BTreeSet<String>,
    /// Public modules.
    pub(crate) modules: BTreeSet<usize>,
    /// Public functions of types, and functions of traits.
    pub(crate) methods: usize,
    /// Public fields of structs.
    pub(crate) fields: usize,
    pub(crate) variants: usize,
}

impl Surface {
    pub(crate) fn of(krate: &Crate) -> Surface {
        let mut surface = Surface::default();
        surface.enter(krate, 0);
        for (at, module) in krate.modules.iter().enumerate() {
            for item in &module.items {
                surface.count(krate, at, item);
            }
        }
        surface
    }

    fn enter(&mut self, krate: &Crate, at: usize) {
        if !self.modules.insert(at) {
            return;
        }
        let module = &krate.modules[at];
        for (name, targets) in &module.names {
            for target in targets {
                match target {
                    Target::Module { at, public: true } => self.enter(krate, *at),
                    Target::Item { public: true } => {
                        self.items.insert((at, name.clone()));
                    }
                    Target::Use { path, public: true } => self.export(krate, at, path),
                    _ => {}
                }
            }
        }
        let globs: Vec<_> = module.globs.iter().filter(|(_, public)| *public).collect();
        globs.iter().for_each(|(path, _)| self.export(krate, at, path));
    }

    fn export(&mut self, krate: &Crate, at: usize, path: &[String]) {
        for end in krate.resolve(at, path).ends {
            match end {
                // A private module of the same name is not what is exported.
                End::Module(to) if krate.is_public(to) => self.enter(krate, to),
                End::Module(_) => {}
                End::Item(module, name) => {
                    self.items.insert((module, name));
                }
                End::Outside(path) => {
                    self.foreign.insert(path.join("::"));
                }
            }
        }
    }

    fn holds(&self, at: usize, name: &syn::Ident) -> bool {
        self.items.contains(&(at, name.to_string()))
    }

    fn count(&mut self, krate: &Crate, at: usize, item: &Item) {
        match item {
            Item::Struct(item) if self.holds(at, &item.ident) => {
                self.fields += match &item.fields {
                    Fields::Named(_) | Fields::Unnamed(_) => {
                        item.fields.iter().filter(|field| is_public(&field.vis)).count()
                    }
                    Fields::Unit => 0,
                };
            }
            Item::Enum(item) if self.holds(at, &item.ident) => self.variants += item.variants.len(),
            Item::Trait(item) if self.holds(at, &item.ident) => {
                self.methods += item.items.iter().filter(|item| matches!(item, TraitItem::Fn(_))).count();
            }
            Item::Impl(block) if block.trait_.is_none() => {
                let Type::Path(of) = &*block.self_ty else { return };
                let path: Vec<String> = of.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
                let ends = krate.resolve(at, &path).ends;
                let is_reached = ends.iter().any(|end| match end {
                    End::Item(module, name) => self.items.contains(&(*module, name.clone())),
                    End::Module(_) | End::Outside(_) => false,
                });
                if is_reached {
                    let public = |item: &&ImplItem| matches!(item, ImplItem::Fn(item) if is_public(&item.vis));
                    self.methods += block.items.iter().filter(public).count();
                }
            }
            _ => {}
        }
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

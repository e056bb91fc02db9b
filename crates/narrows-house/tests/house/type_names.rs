//! No two types of a crate share a name, so that a name says which.

use narrows_house::{Crate, Found, crates, hold, shown, table};
use syn::visit::{self, Visit};
use syn::{Ident, Item};

const TABLE: &str = "type_names.toml";

#[test]
fn no_type_name_stands_twice() {
    hold("a crate has a type name more than once", TABLE, &table(TABLE), &found(&crates()));
}

/// Names that more than one type has.
pub(crate) fn found(crates: &[Crate]) -> Found {
    let mut names = Found::new();
    for krate in crates {
        for module in &krate.modules {
            let mut types = Types(Vec::new());
            module.items.iter().for_each(|item| types.visit_item(item));
            for name in types.0 {
                let place = format!("{}:{}", shown(&module.file), name.span().start().line);
                names.entry(format!("{}::{name}", krate.name)).or_default().push(place);
            }
        }
    }
    names.retain(|_, places| places.len() > 1);
    names
}

/// Associated types are other nodes of the tree, so they are left out by themselves.
struct Types(Vec<Ident>);

impl<'ast> Visit<'ast> for Types {
    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Enum(item) => self.0.push(item.ident.clone()),
            Item::Struct(item) => self.0.push(item.ident.clone()),
            Item::Trait(item) => self.0.push(item.ident.clone()),
            Item::Type(item) => self.0.push(item.ident.clone()),
            Item::Union(item) => self.0.push(item.ident.clone()),
            _ => {}
        }
        visit::visit_item(self, item);
    }
}

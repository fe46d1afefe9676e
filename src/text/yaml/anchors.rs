//! Anchors, aliases and merge keys, as libraries of YAML read them, within limits: a few lines can
//! stand for a tree that no memory holds.

use super::read::{Entry, Fault, MAX_DEPTH, Node, Place, Value, fault};
use std::collections::{BTreeSet, HashMap};

/// Most that aliases may add to a file, in bytes of text; each value counts as so many more.
const ROOM: usize = 1 << 20;
const OF_NODE: usize = 64;

/// The anchors of a document, by the parser's number, and what is left for aliases.
pub(super) struct Anchors {
    nodes: HashMap<usize, Node>,
    /// Where the values stand that an alias means.
    meant: BTreeSet<Place>,
    room: usize,
}

/// The merge key.
const MERGE: &str = "<<";

impl Anchors {
    pub(super) fn new() -> Self {
        Self { nodes: HashMap::new(), meant: BTreeSet::new(), room: ROOM }
    }

    /// Keeps the value of an anchor; 0 is none.
    pub(super) fn keep(&mut self, anchor: usize, node: &Node, place: Place) -> Result<(), Fault> {
        if anchor != 0 {
            self.take(node, place)?;
            self.nodes.insert(anchor, node.clone());
        }
        Ok(())
    }

    /// The value that an alias at `place` means, `depth` collections deep.
    pub(super) fn node(
        &mut self,
        anchor: usize,
        place: Place,
        depth: usize,
    ) -> Result<Node, Fault> {
        let Some(node) = self.nodes.get(&anchor).cloned() else {
            return Err(fault(place, "this alias (*name) stands inside the value that it means"));
        };
        if depth + node.value.depth() > MAX_DEPTH {
            return Err(fault(place, "collections stand too deep in each other"));
        }
        self.take(&node, place)?;
        self.meant.insert(node.place);
        Ok(Node { place, ..node })
    }

    /// Where the values stand that an alias means.
    pub(super) fn meant(self) -> BTreeSet<Place> {
        self.meant
    }

    fn take(&mut self, node: &Node, place: Place) -> Result<(), Fault> {
        let left = self.room.checked_sub(node.value.weight());
        self.room = left.ok_or_else(|| fault(place, "aliases make the file too large"))?;
        Ok(())
    }
}

/// Whether a key that nothing quotes merges.
pub(super) fn merges(key: &str) -> bool {
    key == MERGE
}

/// Adds the entries of a merge key's value that the mapping does not have itself: the first of
/// several mappings counts.
pub(super) fn merge(entries: &mut Vec<Entry>, from: Node) -> Result<(), Fault> {
    let wrong = |node: &Node| node.fault("<< takes a mapping, or a list of mappings");
    match from.value {
        Value::Map(more) => {
            for entry in more {
                if !entries.iter().any(|own| own.key == entry.key) {
                    entries.push(entry);
                }
            }
            Ok(())
        }
        Value::List(items) => items.into_iter().try_for_each(|item| match item.value {
            Value::Map(_) => merge(entries, item),
            _ => Err(wrong(&item)),
        }),
        _ => Err(wrong(&from)),
    }
}

impl Value {
    /// How many collections stand in each other.
    fn depth(&self) -> usize {
        let deepest = match self {
            Self::Null | Self::Text { .. } => return 0,
            Self::List(items) => items.iter().map(|item| item.value.depth()).max(),
            Self::Map(entries) => entries.iter().map(|entry| entry.value.value.depth()).max(),
        };
        1 + deepest.unwrap_or_default()
    }

    fn weight(&self) -> usize {
        OF_NODE
            + match self {
                Self::Null => 0,
                Self::Text { text, .. } => text.len(),
                Self::List(items) => items.iter().map(|item| item.value.weight()).sum(),
                Self::Map(entries) => {
                    let weight = |entry: &Entry| entry.key.len() + entry.value.value.weight();
                    entries.iter().map(weight).sum()
                }
            }
    }
}

impl Node {
    /// Whether a value stands in it, or is it, that an alias means.
    pub(super) fn holds_one_of(&self, meant: &BTreeSet<Place>) -> bool {
        meant.contains(&self.place)
            || match &self.value {
                Value::Null | Value::Text { .. } => false,
                Value::List(items) => items.iter().any(|item| item.holds_one_of(meant)),
                Value::Map(entries) => entries.iter().any(|entry| entry.value.holds_one_of(meant)),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            MAX_BYTES,
            fixtures::{fault_of, map},
            parse,
        },
        *,
    };

    fn texts(entries: &[Entry]) -> Vec<(String, String, usize)> {
        let text = |entry: &Entry| match &entry.value.value {
            Value::Text { text, .. } => text.clone(),
            other => other.kind().to_owned(),
        };
        entries.iter().map(|entry| (entry.key.clone(), text(entry), entry.place.line)).collect()
    }

    fn has(key: &str, value: &str, line: usize) -> (String, String, usize) {
        (key.to_owned(), value.to_owned(), line)
    }

    #[test]
    fn an_alias_is_the_value_of_its_anchor() {
        let entries = map("a: &x one\nb: *x\nc: [*x, two]\n? *x\n: three\n");
        assert_eq!(
            texts(&entries),
            [has("a", "one", 1), has("b", "one", 2), has("c", "a list", 3), has("one", "three", 4)]
        );
        // The last one of a name counts.
        let entries = map("a: &x one\nb: &x two\nc: *x\n");
        assert_eq!(texts(&entries)[2], has("c", "two", 3));
        assert!(fault_of("a: *none\n").starts_with("line 1, column 4"));
        assert!(fault_of("a: &x [b, *x]\n").contains("inside the value"));
    }

    /// As compose files and pipelines share settings.
    #[test]
    fn a_merge_key_adds_what_the_mapping_does_not_have() {
        let shared = "x: &x {a: x, b: x}\ny: &y {b: y, c: y}\n";
        let merged = |line: &str| {
            let entries = map(&format!("{shared}z:\n  b: own\n  {line}\n"));
            match entries.into_iter().nth(2).unwrap().value.value {
                Value::Map(entries) => texts(&entries),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(merged("<<: *x"), [has("b", "own", 4), has("a", "x", 1)]);
        assert_eq!(
            merged("<<: [*y, *x]"),
            [has("b", "own", 4), has("c", "y", 2), has("a", "x", 1)]
        );
        assert_eq!(merged("<<: {d: e}"), [has("b", "own", 4), has("d", "e", 5)]);
        assert_eq!(merged("\"<<\": d"), [has("b", "own", 4), has("<<", "d", 5)]);
        for wrong in ["<<: text", "<<: [a]", "<<:", "<<: *x\n  <<: *y"] {
            let text = format!("{shared}z:\n  {wrong}\n");
            assert!(parse(text.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn aliases_make_no_file_grow_without_bound() {
        let mut bomb = String::from("a0: &a0 [xxxxxxxx, xxxxxxxx]\n");
        for level in 1..30 {
            let line = format!(
                "a{level}: &a{level} [{}]\n",
                vec![format!("*a{}", level - 1); 9].join(",")
            );
            bomb.push_str(&line);
        }
        let said = fault_of(&bomb);
        assert!(said.contains("too large") || said.contains("too deep"), "{said}");
        let mut chain = String::from("a0: &a0 [x]\n");
        (1..2000).for_each(|at| chain.push_str(&format!("a{at}: &a{at} [*a{}]\n", at - 1)));
        assert!(chain.len() < MAX_BYTES && fault_of(&chain).contains("too deep"));
        let long = "x".repeat(30_000);
        let many = format!("a: &a {long}\nb: [{}]\n", ["*a"; 100].join(","));
        assert!(fault_of(&many).contains("too large"));
    }
}

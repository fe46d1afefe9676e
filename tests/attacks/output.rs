//! Text of other programs on the way to a terminal or a JSON document.

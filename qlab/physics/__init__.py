"""Physics without secrets: constants, systems as model cards, and the engine that propagates them."""

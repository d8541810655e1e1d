"""The SIF 2.x standard as pure functions over bytes and elements: no database, no network."""

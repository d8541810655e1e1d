"""The zone's side of SIF 2.x: what agents connect to, what the zone answers, and what it delivers to them."""

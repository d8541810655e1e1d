"""The zone's side of SIF 2.x: what agents connect to, what it answers, records, delivers and tells of data."""

"""The peer that makes its tables from the XSD: xml2db, in its best mode, one validated document in bulk.

Runs in the environment of requirements/bench.lock: `python -m benchmarks.xml2db_peer POSTMASTER URL XSD XML OBJECTS`.
"""

import logging
import sys

from xml2db import DataModel

from benchmarks.meter import Cost, metered


def load(postmaster: int, url: str, xsd: str, xml: str) -> Cost:
    """Load one document; the model's making and its tables' creation are not metered."""
    logging.disable(logging.WARNING)
    url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    model = DataModel(xsd, short_name="sif", connection_string=url, db_schema="xml2db")
    model.create_db_schema()
    model.create_all_tables()
    with metered(postmaster) as cost:
        model.parse_xml(xml, skip_validation=False).insert_into_target_tables()
    return cost


if __name__ == "__main__":
    postmaster, url, xsd, xml, count = sys.argv[1:]
    cost = load(int(postmaster), url, xsd, xml)
    cost.objects = int(count)
    cost.report()

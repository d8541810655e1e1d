"""The packed set of keys of a first load does what a set does, in a fraction of its room."""

import random
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from sif_pipeline.loading import known
from sif_pipeline.loading.known import KEY_BYTES, Keys

FEW = [bytes([number]) * KEY_BYTES for number in range(3)] + [bytes([0, 1] * 8), bytes([1, 0] * 8)]
"""Keys that lie across each other wherever two of them are neighbours."""

KEY = st.one_of(st.sampled_from(FEW), st.integers(0, 300).map(lambda n: n.to_bytes(KEY_BYTES, "big")))


@given(st.lists(st.tuples(st.sampled_from(["add", "discard"]), KEY), max_size=500))
def test_it_holds_what_a_set_holds(steps):
    keys, expected = Keys(), set()
    for step, key in steps:
        getattr(keys, step)(key)
        getattr(expected, step)(key)
        assert (key in keys) is (key in expected)
    everything = {*expected, *FEW, *(n.to_bytes(KEY_BYTES, "big") for n in range(301))}
    assert {key for key in everything if key in keys} == expected


def test_a_hundred_thousand_are_all_found_and_take_less_than_thirty_bytes_each():
    draw = random.Random(7).randbytes
    there, absent = [draw(KEY_BYTES) for _ in range(100_000)], [draw(KEY_BYTES) for _ in range(10_000)]
    tracemalloc.start()
    keys = Keys()
    for key in there:
        keys.add(key)
    taken, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert all(key in keys for key in there)
    assert not any(key in keys for key in absent)
    assert peak < 1.2 * taken < 30 * len(there)


def test_taking_out_and_in_again_makes_no_buckets():
    keys = Keys()
    draw = random.Random(7).randbytes
    for _ in range(200):
        some = [draw(KEY_BYTES) for _ in range(known.KEYS_IN_BUCKET)]
        for key in some:
            keys.add(key)
        for key in some:
            keys.discard(key)
    assert len(keys._buckets) < 4

"""Reports as CSV: what a district wrote cannot become a formula in the state's spreadsheet."""

import csv
import io
from decimal import Decimal

import pytest

from sif_pipeline import reports


def written(value):
    text = reports.as_csv(reports.Report(("cell",), [(value, "beside")]))
    ((_,), (cell, beside)) = csv.reader(io.StringIO(text, newline=""))
    assert beside == "beside"
    return cell


@pytest.mark.parametrize("text", ["=HYPERLINK(0)", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "=", '="a",b'])
def test_a_text_that_would_be_a_formula_is_led_by_an_apostrophe(text):
    assert written(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "North", "O'Neill", "a\rb\nc", "2026-10-01", "a=b", "'=1", " =1"])
def test_any_other_text_is_as_it_was(text):
    assert written(text) == text


@pytest.mark.parametrize("number", [-1, -2.5, Decimal("-3.50")])
def test_a_negative_number_stays_one(number):
    assert written(number) == str(number)


def test_nothing_stays_nothing():
    assert written(None) == ""

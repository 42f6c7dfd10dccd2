"""Encoders that encode a text once."""

from __future__ import annotations

from eval.ikat.remembering import RememberingEncoders
from indexes.encoders import EncodersOfQueries, of_queries
from tests.fast.indexes.sources import HashedDense, HashedSparse, HashedStudent


class Both:
    def __init__(self, dense: HashedDense) -> None:
        self._dense = dense

    def dense(self) -> HashedDense:
        return self._dense

    def sparse(self) -> HashedSparse:
        return HashedSparse()


def test_a_text_is_encoded_once() -> None:
    inner = HashedDense()
    dense = RememberingEncoders(Both(inner)).dense()
    assert of_queries(dense) is dense
    assert (
        dense.encode(["kelp", "otter", "kelp"]).tolist()
        == dense.encode(["kelp", "otter", "kelp"]).tolist()
    )
    assert inner.encoded == 2


def test_a_student_keeps_its_teacher_for_queries() -> None:
    inner = HashedStudent()
    dense = RememberingEncoders(Both(inner)).dense()
    asked = of_queries(dense)
    assert (dense.fingerprint, asked.fingerprint) == ("student", "teacher")
    for _ in range(2):
        asked.encode(["kelp"])
        dense.encode(["kelp"])
    assert (inner.encoded, inner.queries.encoded) == (1, 1)


def test_what_is_asked_is_encoded_by_the_teacher_alone() -> None:
    inner = HashedStudent()
    assert EncodersOfQueries(Both(inner)).dense() is inner.queries
    plain = HashedDense()
    assert EncodersOfQueries(Both(plain)).dense() is plain

import pytest

from gate.domain.candidate import ModelRef
from gate.errors import UsageError


def test_a_name_is_as_long_as_the_registry_keeps_it():
    assert ModelRef.parse(f"models:/{'m' * 256}/1").name == "m" * 256
    with pytest.raises(UsageError) as caught:
        ModelRef.parse(f"models:/{'m' * 257}@champion")
    assert str(caught.value) == "the model's name has 257 characters; MLflow keeps 256"

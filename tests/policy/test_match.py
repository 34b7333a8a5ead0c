from pathlib import Path

import pytest

from gate.domain.candidate import Candidate
from gate.errors import PolicyError, UsageError
from gate.policy.match import choose

BIKE = Candidate("bike-demand", "2", "sha256:0", None, None, "s3://x", tags={"lifecycle": "pilot"})


def policy(models, tags="{}"):
    return (
        f"policy: gate/v1\nname: small\napplies_to: {{models: {models}, tags: {tags}}}\ntask: none\n"
        "data: {reference: {mlflow: training}, current: {uri: now.parquet}}\nchecks:\n  - {check: schema_match}\n"
    )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Stand above a folder `policies`, and write files into it by name."""
    monkeypatch.chdir(tmp_path)
    Path("policies").mkdir()

    def write(**files):
        for name, text in files.items():
            Path("policies", name.replace("__", ".")).write_text(text)
        return Path("policies")

    return write


def refusal(path, candidate=BIKE, error=UsageError):
    with pytest.raises(error) as caught:
        choose(path, candidate)
    return str(caught.value)


def test_a_file_that_applies_is_chosen(folder):
    path = folder(bike__yaml=policy('["bike*"]', "{lifecycle: pilot}")) / "bike.yaml"
    assert choose(path, BIKE).source == "policies/bike.yaml"


def test_a_file_for_other_models_says_for_which(folder):
    path = folder(other__yaml=policy('["fraud*", churn]', "{lifecycle: pilot}")) / "other.yaml"
    assert refusal(path) == (
        "policies/other.yaml: this policy is for models fraud*, churn with the tags lifecycle=pilot; "
        "the candidate is bike-demand with the tags lifecycle=pilot"
    )


def test_the_one_policy_of_a_folder_that_applies_is_chosen(folder):
    path = folder(
        bike__yaml=policy('["bike*"]'),
        fraud__yml=policy('["fraud*"]'),
        base__yaml="policy: gate/v1\nname: base\n",
        waivers__yaml="[]",
        gate__yaml="threads: 2",
        notes__txt="not yaml: [",
    )
    assert choose(path, BIKE).source == "policies/bike.yaml"


def test_none_says_what_there_is_and_how_to_write_one(folder):
    path = folder(fraud__yaml=policy('["fraud*"]'), churn__yaml=policy("[churn]"))
    assert refusal(path) == (
        "policies: no policy applies to models:/bike-demand/2; policies/churn.yaml is for models churn; "
        "policies/fraud.yaml is for models fraud*. The candidate is bike-demand with the tags lifecycle=pilot. "
        "Write one with: gate init models:/bike-demand/2"
    )


def test_an_empty_folder_says_so(folder):
    assert refusal(folder()) == (
        "policies: no policy applies to models:/bike-demand/2; there is none in the folder. "
        "The candidate is bike-demand with the tags lifecycle=pilot. Write one with: gate init models:/bike-demand/2"
    )


def test_two_are_one_too_many(folder):
    path = folder(one__yaml=policy('["bike*"]'), two__yaml=policy('["*"]'))
    assert refusal(path) == (
        "policies: 2 policies apply to models:/bike-demand/2: policies/one.yaml, policies/two.yaml; "
        "name one with --policy, or narrow their applies_to"
    )


def test_a_broken_file_in_the_folder_is_not_skipped(folder):
    path = folder(bike__yaml=policy('["bike*"]'), broken__yaml="policy: gate/v1\nname: b\ncheks: []\n")
    assert refusal(path, error=PolicyError) == "policies/broken.yaml:3: unknown key 'cheks'; did you mean 'checks'?"


def test_a_broken_base_is_said_once(folder):
    child = policy('["bike*"]').replace("task", "extends: [base.yaml]\ntask")
    path = folder(base__yaml="policy: gate/v1\nname: b\ncheks: []\n", one__yaml=child, two__yaml=child)
    assert refusal(path, error=PolicyError) == "policies/base.yaml:3: unknown key 'cheks'; did you mean 'checks'?"


def test_nothing_at_the_path_is_an_error(folder):
    assert refusal(Path("nowhere")) == "nowhere: no such file; `gate init MODEL_URI` writes a policy"


@pytest.mark.parametrize(
    ("models", "tags", "fits"),
    [
        ('["bike-demand"]', "{}", True),
        ('["Bike*"]', "{}", False),
        ('["bike"]', "{}", False),
        ('["*demand"]', "{lifecycle: pilot, stage: live}", False),
        ('["*"]', "{lifecycle: live}", False),
    ],
)
def test_names_and_tags_are_compared_as_they_are(folder, models, tags, fits):
    path = folder(one__yaml=policy(models, tags))
    if fits:
        assert choose(path, BIKE)
    else:
        refusal(path)


def test_a_tag_of_the_version_hides_one_of_its_model(folder):
    path = folder(one__yaml=policy('["*"]', "{lifecycle: live}"))
    demoted = Candidate("m", "1", "d", None, None, "s", tags={"lifecycle": "old"}, model_tags={"lifecycle": "live"})
    assert choose(path, Candidate("m", "1", "d", None, None, "s", model_tags={"lifecycle": "live"}))
    refusal(path, demoted)

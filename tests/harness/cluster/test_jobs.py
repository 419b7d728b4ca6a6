"""Jobs: each missing stage once, behind what it needs, and the scores of a checkpoint together."""

from made_up import stage

from core.contract.manifest import About
from harness.cluster.jobs import StageJob, lay_out_jobs, list_all
from harness.stage import Stage


def lay_out(*targets: Stage, done: tuple[Stage, ...] = (), **rest: object) -> list[StageJob]:
    there = {one.key: one in done for one in list_all(targets)}
    return lay_out_jobs(targets, there, rest.pop("after", {}), **rest)  # type: ignore[arg-type]


BASE = stage("base", kind="base")
SOURCE = stage("source", kind="source")
MIXTURE = stage("mixture", source=SOURCE)
TRAINED = stage("trained", kind="train", mixture=MIXTURE, base=BASE)
SCORES = [
    stage(f"{task} of {of.label}", kind="score", checkpoint=of)
    for of in (BASE, TRAINED)
    for task in ("sib200", "flores")
]


def test_each_stage_is_in_one_job_behind_those_it_needs() -> None:
    jobs = lay_out(*SCORES)
    order = [job.keys for job in jobs]
    assert sorted(key for keys in order for key in keys) == sorted(s.key for s in list_all(SCORES))
    for place, job in enumerate(jobs):
        before = {key for earlier in jobs[:place] for key in earlier.keys}
        assert job.needs <= before
    (train,) = (job for job in jobs if job.kind == "train")
    assert train.needs == {MIXTURE.key, BASE.key}


def test_the_scores_of_a_checkpoint_are_one_job() -> None:
    scores = [job for job in lay_out(*SCORES) if job.kind == "score"]
    assert [[one.label for one in job.stages] for job in scores] == [
        ["sib200 of base", "flores of base"],
        ["sib200 of trained", "flores of trained"],
    ]
    assert scores[1].label == "sib200 of trained and 1 more"


def test_what_is_done_is_no_job_and_nothing_waits_for_it() -> None:
    jobs = lay_out(*SCORES, done=(BASE, TRAINED, SCORES[2]))
    assert [job.kind for job in jobs] == ["score", "score"]
    assert all(not job.needs for job in jobs)
    assert [one.label for one in jobs[1].stages] == ["flores of trained"]
    # What a finished stage was made from may be gone, and is not made again.
    assert lay_out(*SCORES, done=(TRAINED, BASE, *SCORES)) == []


def test_a_stage_may_wait_for_one_that_is_no_input() -> None:
    looked = stage("looked", kind="contamination", mixture=MIXTURE)
    packed = stage("packed", kind="packed", mixture=MIXTURE)
    after = {packed.key: frozenset({looked.key})}
    jobs = lay_out(packed, looked, after=after, clean=frozenset({looked.key}))
    (job,) = (job for job in jobs if job.kind == "packed")
    assert job.needs == {MIXTURE.key, looked.key}
    assert [job.kind for job in jobs if job.clean] == ["contamination"]


def test_who_writes_to_one_ledger_is_alone() -> None:
    asks = About(teacher="someone")
    jobs = lay_out(
        stage("a", kind="source", about=asks, ledger="ledger/swahili.sqlite"),
        stage("b", kind="source", about=asks, ledger="ledger/swahili.sqlite"),
        stage("c", kind="source", about=asks, ledger="ledger/yoruba.sqlite"),
        stage("d", kind="source", ledger="ledger/yoruba.sqlite"),
    )
    names = [job.alone for job in jobs]
    assert names[0] == names[1] is not None
    assert names[2] not in (None, names[0])
    assert names[3] is None

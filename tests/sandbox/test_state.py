"""The life of an invocation, with an injected clock."""

from __future__ import annotations

from nostra_cli.sandbox.state import Invocation, Life, State, demos


def find(state: State, name: str) -> Invocation:
    found = state.find(name)
    assert found is not None
    return found


def test_demo_takes_three_seconds_from_its_first_poll() -> None:
    now = [100.0]
    state = State(demos(1_000), lambda: now[0])
    demo = find(state, "demo")

    assert state.status(demo) == "queued"
    now[0] = 900.0  # the time before the first poll does not count
    seen = []
    for later in (0.0, 0.9, 1.0, 2.9, 3.0, 60.0):
        now[0] = 900.0 + later
        seen.append(state.poll(demo))
    assert seen == ["queued", "queued", "running", "running", "completed", "completed"]


def test_a_sequence_advances_with_each_poll_and_its_last_status_stays() -> None:
    life = Life(("queued", "running", "completed"))
    state = State((Invocation("a", "churn-prediction", life),), lambda: 0.0)
    found = find(state, "a")

    assert state.status(found) == "queued"
    assert [state.poll(found) for _ in range(4)] == ["queued", "running", "completed", "completed"]
    assert state.status(found) == "completed"


def test_results_appear_with_completion() -> None:
    state = State(demos(1_000), lambda: 0.0)
    demo = find(state, "demo")

    assert demo.document("running")["invocationResults"] is None
    results = demo.document("completed")["invocationResults"]
    assert isinstance(results, dict)
    assert sum(result["primaryResult"] for result in results.values()) == 1
    assert len(results) == 3


def test_ids_of_results_never_change() -> None:
    ids = [result.id for result in find(State(demos(1_000), lambda: 0.0), "demo").results]
    assert ids == [
        "09bf4053c85a9a40d6b0df9d",
        "8a9788cea7756d64fc1489a4",
        "e343014cbae243064e95bd89",
    ]

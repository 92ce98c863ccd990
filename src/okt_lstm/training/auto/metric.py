"""The score by which the recipe `auto` chooses models, class weights and thresholds."""

from oktane.problem_type import ProblemType

_KNOWN = {
    ProblemType.SINGLE_LABEL: ("f1_macro", "accuracy"),
    ProblemType.MULTI_LABEL: ("f1_macro", "f1_micro", "accuracy"),
    ProblemType.REGRESSION: ("r2",),
}


def choose_metric(given: str | None, problem_type: ProblemType) -> str:
    """Return the name of the score: the given one, or by default macro F1, and R2 for a regression.

    Args:
        given: The value of `--metric_for_best_model`.
        problem_type: The problem type.

    Raises:
        ValueError: The recipe can't choose by it.
    """
    known = _KNOWN[problem_type]
    metric = (given or "auto").removeprefix("eval_")
    if metric == "auto":
        return known[0]
    if metric not in known:
        raise ValueError(
            f"--metric_for_best_model {given}: for a {problem_type.value}, the recipe auto chooses by "
            f"{' or '.join(known)}; name another recipe, such as --recipe classic, for other scores"
        )
    return metric

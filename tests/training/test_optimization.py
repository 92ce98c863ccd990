import copy

import pytest
import torch

from okt_lstm.training.optimization import RowwiseRMSprop


def gradients(seed, rows=3000):
    """A table's gradients, most rows of each zero and the first row never in use; and a small parameter's."""
    generator = torch.Generator().manual_seed(seed)
    grad = torch.randn(rows, 4, generator=generator)
    grad[torch.rand(rows, generator=generator) < 0.9] = 0
    grad[0] = 0
    return grad, torch.randn(7, generator=generator)


def descend(optimizer_class, steps, resume_at=None, **options):
    torch.manual_seed(0)
    parameters = [torch.nn.Parameter(torch.randn(3000, 4)), torch.nn.Parameter(torch.randn(7))]
    optimizer = optimizer_class(parameters, lr=1e-3, **options)
    for step in range(steps):
        if step == resume_at:
            state = copy.deepcopy(optimizer.state_dict())
            optimizer = optimizer_class(parameters, lr=1.0)
            optimizer.load_state_dict(state)
        for parameter, grad in zip(parameters, gradients(step), strict=True):
            parameter.grad = grad
        optimizer.step()
    return parameters


def assert_same(one, other, **tolerance):
    for left, right in zip(one, other, strict=True):
        torch.testing.assert_close(left, right, **tolerance)


def test_the_result_is_rmsprops_to_rounding():
    expected, actual = (descend(each, 60) for each in (torch.optim.RMSprop, RowwiseRMSprop))
    assert_same(actual, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("options", [{"momentum": 0.9}, {"centered": True}, {"weight_decay": 0.1}])
def test_options_that_move_every_row_give_rmsprop_itself(options):
    expected, actual = (descend(each, 10, **options) for each in (torch.optim.RMSprop, RowwiseRMSprop))
    assert_same(actual, expected, rtol=0, atol=0)


def test_a_saved_state_goes_on_exactly():
    assert_same(descend(RowwiseRMSprop, 20, resume_at=11), descend(RowwiseRMSprop, 20), rtol=0, atol=0)


def test_gradients_stay_where_they_were():
    table = torch.nn.Parameter(torch.zeros(3000, 4))
    table.grad = gradients(0)[0]
    RowwiseRMSprop([table]).step()
    torch.testing.assert_close(table.grad, gradients(0)[0])


def test_a_gradient_that_is_not_a_number_is_not_hidden():
    table = torch.nn.Parameter(torch.zeros(3000, 4))
    table.grad = torch.zeros_like(table)
    table.grad[5, 1] = torch.nan
    RowwiseRMSprop([table]).step()
    assert table[5, 1].isnan()
    assert not table[6].isnan().any()

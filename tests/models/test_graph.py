"""The graph of each model: the layers of its table with their shapes, whole and connected."""

import pytest
import torch
from torch import Tensor, nn

from cifar_core.models import create_model, list_models
from cifar_core.models.graph import graph_of
from cifar_core.models.summary import summarize


@pytest.mark.parametrize("name", list_models())
def test_the_graph_has_every_layer_of_the_table(name: str) -> None:
    model = create_model(name).train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    graph, _ = graph_of(model, name)
    shapes = {
        node.name.removeprefix(f"{name}/").replace("/", "."): (node.op, shape_of(node))
        for node in graph.node
    }
    leaves = {path for path, module in model.named_modules() if not list(module.children())}
    for row in summarize(model).rows:
        if row.name in leaves:
            assert shapes[row.name] == (row.type, (1, *row.output_shape)), row.name
    assert model.training
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def shape_of(node: object) -> tuple[int, ...]:
    (shape,) = node.attr["_output_shapes"].list.shape or [None]  # pyright: ignore[reportAttributeAccessIssue] # a message of protobuf
    return tuple(dim.size for dim in shape.dim) if shape else ()


@pytest.mark.parametrize("name", list_models())
def test_it_is_connected_from_the_images_to_the_output(name: str) -> None:
    graph, _ = graph_of(create_model(name), name)
    names = [node.name for node in graph.node]
    assert len(set(names)) == len(names)
    reached = {f"{name}/images"}
    for node in graph.node:
        assert node.name in reached or set(node.input) & reached, node.name
        reached.add(node.name)
    assert (graph.node[-1].name, graph.node[-1].op) == (f"{name}/output", "output")


def test_shortcuts_join_in_their_block() -> None:
    graph, _ = graph_of(create_model("resnet18"), "resnet18")
    (joined,) = (node for node in graph.node if node.name == "resnet18/layer2/0/add_2")
    assert list(joined.input) == ["resnet18/layer2/0/bn2", "resnet18/layer2/0/downsample/1"]


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        return self.conv(self.conv(images))


def test_a_layer_that_runs_twice_is_there_twice() -> None:
    graph, _ = graph_of(Twice(), "twice")
    nodes = [(node.name, list(node.input)) for node in graph.node]
    assert nodes[1] == ("twice/conv", ["twice/images"])
    assert nodes[2] == ("twice/conv_conv_1", ["twice/conv"])

"""The layers of a network and what flows between them, as a graph for TensorBoard."""

import copy
from typing import Any

import torch
from torch import nn
from torch.fx import GraphModule, Node, Tracer
from torch.fx.passes.shape_prop import ShapeProp


def graph_of(model: nn.Module, name: str) -> tuple[Any, Any]:
    """The graph of one image's forward pass, as TensorBoard's file writer takes it.

    A node per layer, function and method, in folders by the model's modules; on each edge the
    shape. The model is left as it was. torch's own `add_graph` needs the deprecated
    `torch.jit.trace`.

    Returns:
        A GraphDef and an empty RunMetadata of protobuf, which have no types.
    """
    from tensorboard.compat.proto import config_pb2, graph_pb2

    private = copy.deepcopy(model).cpu().float().eval()
    traced = GraphModule(private, _LayerTracer().trace(private))
    with torch.no_grad():
        ShapeProp(traced).propagate(torch.zeros(1, 3, 32, 32))
    graph: Any = graph_pb2.GraphDef()  # pyright: ignore[reportAttributeAccessIssue] # made by protobuf when imported
    graph.versions.producer = 22  # as torch writes it
    names: dict[Node, str] = {}
    for node in traced.graph.nodes:
        path = f"{name}/{_path(node)}"
        names[node] = path if path not in names.values() else f"{path}_{node.name}"
        inputs = [names[source] for source in node.all_input_nodes]
        added = graph.node.add(name=names[node], op=_kind(node, traced), input=inputs)
        value = node.meta.get("tensor_meta")
        if value is not None and node.op != "output":
            shape = added.attr["_output_shapes"].list.shape.add()
            for size in value.shape:
                shape.dim.add(size=size)
    return graph, config_pb2.RunMetadata()  # pyright: ignore[reportAttributeAccessIssue] # likewise


class _LayerTracer(Tracer):
    """Looks into every module that has modules of its own, and into no other."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return not list(m.children())


def _path(node: Node) -> str:
    """The name of a node within the folders of its modules."""
    if node.op == "call_module":
        return str(node.target).replace(".", "/")
    stack = list(node.meta.get("nn_module_stack", {}).values())
    inside = f"{stack[-1][0]}.".replace(".", "/") if stack else ""
    return inside + node.name


def _kind(node: Node, traced: GraphModule) -> str:
    """The type of a layer, or the name of a function or method."""
    if node.op == "call_module":
        return type(traced.get_submodule(str(node.target))).__name__
    return str(getattr(node.target, "__name__", node.target))

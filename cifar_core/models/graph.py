"""The layers of a network and what flows between them, as a graph for TensorBoard."""

import copy
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.fx import GraphModule, Node, Tracer
from torch.fx.passes.shape_prop import ShapeProp

if TYPE_CHECKING:
    from tensorboard.compat.proto.config_pb2 import RunMetadata
    from tensorboard.compat.proto.graph_pb2 import GraphDef
    from tensorboard.compat.proto.node_def_pb2 import NodeDef


def graph_of(model: nn.Module, name: str) -> "tuple[GraphDef, RunMetadata]":
    """The graph of one image's forward pass, as TensorBoard's file writer takes it.

    A node per layer, function and method, in folders by the model's modules; on each edge the
    shape. The model is left as it was. torch's own `add_graph` needs the deprecated
    `torch.jit.trace`.
    """
    from tensorboard.compat.proto.config_pb2 import RunMetadata
    from tensorboard.compat.proto.graph_pb2 import GraphDef
    from tensorboard.compat.proto.versions_pb2 import VersionDef

    private = copy.deepcopy(model).cpu().float().eval()
    traced = GraphModule(private, _LayerTracer().trace(private))
    with torch.no_grad():
        ShapeProp(traced).propagate(torch.zeros(1, 3, 32, 32))
    names: dict[Node, str] = {}
    for node in traced.graph.nodes:
        path = f"{name}/{_path(node)}"
        names[node] = path if path not in names.values() else f"{path}_{node.name}"
    nodes = [_node_def(node, names, traced) for node in traced.graph.nodes]
    # 22 is what torch writes, too.
    return GraphDef(node=nodes, versions=VersionDef(producer=22)), RunMetadata()


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


def _node_def(node: Node, names: dict[Node, str], traced: GraphModule) -> "NodeDef":
    from tensorboard.compat.proto.attr_value_pb2 import AttrValue
    from tensorboard.compat.proto.node_def_pb2 import NodeDef
    from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto

    kind = str(getattr(node.target, "__name__", node.target))
    if node.op == "call_module":
        kind = type(traced.get_submodule(str(node.target))).__name__
    inputs = [names[source] for source in node.all_input_nodes]
    found = NodeDef(name=names[node], op=kind, input=inputs)
    if (value := node.meta.get("tensor_meta")) is not None and node.op != "output":
        sizes = [TensorShapeProto.Dim(size=size) for size in value.shape]
        shapes = AttrValue.ListValue(shape=[TensorShapeProto(dim=sizes)])
        found.attr["_output_shapes"].CopyFrom(AttrValue(list=shapes))
    return found

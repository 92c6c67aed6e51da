"""A TFLite model that doubles four numbers, made with the schema that the runtime's own wheel has."""

from __future__ import annotations

import sys
import types
import zipfile
from pathlib import Path
from typing import Any


def tiny_model(index: Path) -> bytes:
    """The model's file. index: the folder of wheels by project."""
    (runtime,), (helper,) = (list((index / name).glob("*.whl")) for name in ("ai-edge-litert", "flatbuffers"))
    sys.path.insert(0, str(helper))
    try:
        import flatbuffers

        schema: Any = types.ModuleType("schema")
        source = zipfile.ZipFile(runtime).read("ai_edge_litert/schema_py_generated.py")
        exec(compile(source, "schema", "exec"), schema.__dict__)
        return _packed(schema, flatbuffers.Builder(1024))
    finally:
        sys.path.remove(str(helper))


def _packed(schema: Any, builder: Any) -> bytes:
    def tensor(name: str) -> Any:
        made = schema.TensorT()
        made.name, made.shape, made.buffer, made.type = name, [1, 4], 0, schema.TensorType.FLOAT32
        return made

    code = schema.OperatorCodeT()
    code.deprecatedBuiltinCode = code.builtinCode = schema.BuiltinOperator.ADD
    code.version = 1
    add = schema.OperatorT()
    add.opcodeIndex, add.inputs, add.outputs = 0, [0, 0], [1]
    add.builtinOptionsType, add.builtinOptions = schema.BuiltinOptions.AddOptions, schema.AddOptionsT()
    graph = schema.SubGraphT()
    graph.name, graph.tensors, graph.inputs, graph.outputs = "main", [tensor("x"), tensor("y")], [0], [1]
    graph.operators = [add]
    model = schema.ModelT()
    model.version, model.description = 3, "doubles four numbers"
    model.operatorCodes, model.subgraphs, model.buffers = [code], [graph], [schema.BufferT()]
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())

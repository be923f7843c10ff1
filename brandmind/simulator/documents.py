"""Query texts, parsed and validated once each, with errors in Shopify's words."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    build_schema,
    parse,
    validate,
)

Error = dict[str, Any]

_NO_FIELD = re.compile(r"Cannot query field '(\w+)' on type '(\w+)'")
_NO_SELECTION = re.compile(r"Field '(\w+)' of type '([\w\[\]!]+)' must have a selection")
_NO_ARGUMENT = re.compile(r"Unknown argument '(\w+)' on field '(\w+)\.(\w+)'")
_UNUSED = re.compile(r"Variable '\$(\w+)' is never used(?: in operation '(\w+)')?")
_UNDEFINED = re.compile(r"Variable '\$(\w+)' is not defined")
_MISSING = re.compile(r"Argument '(?:\w+\.)*(\w+)(?:\(|')")


@cache
def schema() -> GraphQLSchema:
    """The subset of Shopify's schema that is spoken here."""
    text = files("brandmind.simulator").joinpath("schema/admin.graphql").read_text("utf-8")
    return build_schema(text)


@dataclass(slots=True)
class Document:
    """A query text: either its errors or its operations by name."""

    text: str
    errors: list[Error] = field(default_factory=list)
    node: DocumentNode | None = None
    operations: dict[str, OperationDefinitionNode] = field(default_factory=dict)
    plain: bool = True

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """The operation asked for; None if the choice is not clear."""
        if name:
            return self.operations.get(name)
        return next(iter(self.operations.values())) if len(self.operations) == 1 else None


@lru_cache(maxsize=512)
def read_document(text: str) -> Document:
    """Parses and validates; the same text is only looked at once."""
    document = Document(text)
    try:
        document.node = parse(text)
    except GraphQLSyntaxError as error:
        document.errors = [_syntax_error(error)]
        return document
    problems = validate(schema(), document.node)
    document.errors = [_validation_error(problem) for problem in problems]
    for node in document.node.definitions:
        if isinstance(node, OperationDefinitionNode):
            document.operations[node.name.value if node.name else ""] = node
    names = "".join(text.split())
    document.plain = "@" not in names and "__schema" not in names and "__type(" not in names
    return document


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """The document's fragments by name."""
    return {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }


def _located(error: GraphQLError, message: str, **extensions: Any) -> Error:
    found: Error = {"message": message}
    if error.locations:
        found["locations"] = [{"line": at.line, "column": at.column} for at in error.locations[:1]]
    found["extensions"] = extensions
    return found


def _syntax_error(error: GraphQLSyntaxError) -> Error:
    at = error.locations[0] if error.locations else None
    place = f" at [{at.line}, {at.column}]" if at else ""
    what = error.message.removeprefix("Syntax Error: ")
    what = "unexpected end of file" if "<EOF>" in what else what[:1].lower() + what[1:].rstrip(".")
    return _located(error, f"syntax error, {what}{place}", code="PARSE_ERROR")


def _validation_error(error: GraphQLError) -> Error:
    text = error.message
    if match := _NO_FIELD.search(text):
        name, parent = match.groups()
        return _located(
            error,
            f"Field '{name}' doesn't exist on type '{parent}'",
            code="undefinedField",
            typeName=parent,
            fieldName=name,
        )
    if match := _NO_SELECTION.search(text):
        name, kind = match[1], match[2].strip("[]!")
        return _located(
            error,
            f"Field must have selections (field '{name}' returns {kind} but has no selections. "
            f"Did you mean '{name} {{ ... }}'?)",
            code="selectionMismatch",
            nodeName=f"field '{name}'",
            typeName=kind,
        )
    if match := _NO_ARGUMENT.search(text):
        argument, _, name = match.groups()
        return _located(
            error,
            f"Field '{name}' doesn't accept argument '{argument}'",
            code="argumentNotAccepted",
            name=name,
            typeName="Field",
            argumentName=argument,
        )
    if match := _UNUSED.search(text):
        return _located(
            error,
            f"Variable ${match[1]} is declared by {match[2] or 'anonymous query'} but not used",
            code="variableNotUsed",
            variableName=match[1],
        )
    if match := _UNDEFINED.search(text):
        return _located(
            error,
            f"Variable ${match[1]} is used but not declared",
            code="variableNotDefined",
            variableName=match[1],
        )
    if "is required" in text and (match := _MISSING.search(text)):
        return _located(
            error,
            f"Field is missing required arguments: {match[1]}",
            code="missingRequiredArguments",
            arguments=match[1],
        )
    code = "argumentLiteralsIncompatible" if "cannot represent" in text else "invalid"
    return _located(error, text, code=code)

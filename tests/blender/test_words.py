"""Words in Blender's window are all left as they are, or half of them would be translated."""

from __future__ import annotations

import ast
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "plugins" / "blender" / "fresco_blender"
_WITH_TEXT = {
    "label": "text",
    "progress": "text",
    "prop": "text",
    "row": "heading",
    "column": "heading",
}


def test_no_text_of_a_layout_is_looked_up_in_blenders_own_words() -> None:
    looked_up = []
    texts = 0
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            if _WITH_TEXT.get(node.func.attr, "") not in given:
                if node.func.attr == "prop":
                    looked_up.append(f"{path.name}:{node.lineno}")
                continue
            texts += 1
            told, text = given.get("translate"), given[_WITH_TEXT[node.func.attr]]
            is_empty = isinstance(text, ast.Constant) and text.value == ""
            if not is_empty and not (isinstance(told, ast.Constant) and told.value is False):
                looked_up.append(f"{path.name}:{node.lineno}")

    assert texts > 10
    assert looked_up == []

"""Words for a slide: the first sentences of a paragraph, their height, and the whole text as notes for the speaker."""

import copy
import math
import re

from bs4 import NavigableString, Tag

SENTENCE = re.compile(r"(?<![A-Z])(?<!e\.g)(?<!i\.e)(?<!\bvs)[.?!][”\"’)]*(?=\s)")


def height(text: str) -> int:
    """Return how many pixels of a slide a text takes, about."""
    return 20 + 42 * math.ceil(len(text) / 76)


def brief(block: Tag, limit: int, from_end: bool = False) -> Tag:
    """Keep as many whole sentences as `limit` characters hold, at least one, from the beginning or from the end."""
    block = copy.copy(block)
    ends, length = [], 0
    for node in block.contents:
        if isinstance(node, NavigableString):
            ends += [(length + end.end(), node, end.end()) for end in SENTENCE.finditer(node)]
        length += len(plain(node))
    if length <= limit or not ends:
        return block
    if from_end:
        _, node, at = next((end for end in ends if length - end[0] <= limit), ends[-1])
        kept = node[at:].lstrip()
        gone = list(node.previous_siblings)
    else:
        _, node, at = next((end for end in reversed(ends) if end[0] <= limit), ends[0])
        kept = node[:at]
        gone = list(node.next_siblings)
    for other in gone:
        other.extract()
    node.replace_with(kept)
    return block


def plain(node) -> str:
    """Return the text of a node as it is seen: a formula stands in the page twice."""
    if isinstance(node, NavigableString):
        return str(node)
    return "".join(text for text in node.strings if not text.find_parent("math"))


def noted(block: Tag) -> str:
    """Write a block for the speaker notes, whose window has none of the site's style sheets: no code, formulas as MathML."""
    block = copy.copy(block)
    for tag in block.select(".katex-html, .highlight, .output, img, .admonition-title"):
        tag.decompose()
    for tag in block.select("abbr, a"):
        tag.unwrap()
    return f"<p>{block.decode_contents()}</p>" if block.name in ("p", "figcaption") else f"<div>{block.decode_contents()}</div>"

"""Serving while writing: mkdocs' dirty builds render only pages whose own file changed, and here is what that leaves out."""

import fnmatch

from mkdocs.structure.files import Files

ANCHORS = ("_primary_url_map", "_secondary_url_map", "_title_map")


class Memory:
    """What one build tells the next: the anchors of the pages it did not render, and what other pages were made from."""

    def __init__(self):
        self.anchors = {name: {} for name in ANCHORS}
        self.inputs, self.coming = {}, {}

    def keep_anchors(self, autorefs) -> None:
        """Let the cross-references of this build find the anchors of earlier ones (autorefs has no public way)."""
        for name, known in self.anchors.items():
            setattr(autorefs, name, known)

    def renew(self, files: Files, inputs: dict[str, str]) -> None:
        """Mark the pages to be rendered again: `inputs` holds, by pattern, a digest of what they show besides their file."""
        for pattern, digest in inputs.items():
            if self.inputs.get(pattern) != digest:
                for file in files:
                    if fnmatch.fnmatch(file.src_uri, pattern):
                        file.is_modified = lambda: True
        self.coming = inputs

    def keep(self) -> None:
        """Take what this build was made from for what pages show, now that all of them are written."""
        self.inputs = self.coming

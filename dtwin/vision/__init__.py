"""Before learning: filters, Roberts' blocks, pictorial structures, Marr's sketches, bags of features."""
